from pathlib import Path, PurePosixPath

import pytest

from matte.errors import MissingObjectError, SettingError
from matte.stores.folder import FolderStore
from matte.stores.stored_file import StoredFile, stored_file
from tests.stores.s3_server import S3Server

FILE = stored_file("s3://bucket/folder/a.b.jpg")


def test_it_has_the_parts_of_a_path() -> None:
    assert (FILE.name, FILE.stem, FILE.suffix) == ("a.b.jpg", "a.b", ".jpg")
    assert str(FILE.parent) == "s3://bucket/folder"
    assert str(FILE.parent.parent) == str(FILE.parent.parent.parent) == "s3://bucket"
    assert str(FILE.parent.parent / "x.png") == "s3://bucket/x.png"
    assert FILE.parent.parent.name == "bucket"
    assert str(FILE.parent / Path("x", "y.png")) == "s3://bucket/folder/x/y.png"
    assert str(FILE.parent / Path()) == "s3://bucket/folder"
    assert str(FILE.with_name("c")) == "s3://bucket/folder/c"
    assert str(FILE.with_suffix("")) == "s3://bucket/folder/a.b"
    assert FILE.at("s3://bucket/x/y.png") == FILE.parent.parent / "x/y.png"
    assert FILE.relative_to(stored_file("s3://bucket")) == PurePosixPath("folder/a.b.jpg")
    with pytest.raises(ValueError, match="is not in the subpath"):
        FILE.relative_to(stored_file("s3://bucket/fold"))
    assert FILE.is_inside(FILE)
    assert FILE.is_inside(stored_file("s3://bucket/folder/"))
    assert not FILE.is_inside(stored_file("s3://other"))


def test_two_are_equal_by_their_address() -> None:
    again = stored_file("s3://bucket/folder/a.b.jpg")
    assert again == FILE
    assert len({FILE, again, FILE.parent}) == 2
    assert Path("s3://bucket/folder/a.b.jpg") != FILE
    assert repr(FILE) == "StoredFile('s3://bucket/folder/a.b.jpg')"
    with pytest.raises(SettingError, match="names no bucket"):
        stored_file("s3://")


def test_it_knows_what_it_was_when_it_was_read(tmp_path: Path) -> None:
    file = StoredFile(FolderStore(tmp_path), "a.txt")
    assert file.state() == (0, 0)
    assert not file.exists()
    with pytest.raises(MissingObjectError):
        file.read()
    assert file.content_sha256() == ""
    file.write(b"one")
    assert file.exists()
    assert file.read() == b"one"
    assert file.state()[0] == 3
    before = file.sha256
    file.write(b"three", overwrite=True)
    assert (file.state()[0], file.sha256) == (3, before)
    assert file.content_sha256() != before
    assert file.state()[0] == 5


def test_what_is_listed_need_not_be_asked_for(s3: S3Server) -> None:
    s3.put("bucket", "folder/a", b"12", modified=1_700_000_000.9)
    (file,) = stored_file("s3://bucket/folder").files()
    s3.calls.clear()
    assert file.state() == (2, 1_700_000_000 * 10**9)
    assert not s3.calls
    file.read()
    assert file.state() == (2, 1_700_000_000 * 10**9), "whole seconds, whoever says it"
