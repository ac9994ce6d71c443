from pathlib import Path

import pytest

from matte.errors import ExistingObjectError, OutputError
from matte.files import STREAM
from matte.photos.locations import (
    Location,
    absolute,
    check_stored_output,
    check_stored_outputs,
    current_sha256,
    existing,
    is_folder,
    is_inside,
    local_files,
    location_facts,
    stored_files,
)
from matte.stores.stored_file import stored_file
from tests.stores.s3_server import S3Server

OBJECT = stored_file("s3://bucket/folder/a.jpg")


def test_folders_and_what_lies_in_them(tmp_path: Path) -> None:
    assert is_folder(tmp_path)
    assert not is_folder(tmp_path / "a")
    assert not is_folder(STREAM)
    assert is_folder(OBJECT.parent)
    assert is_folder(stored_file("s3://bucket/shoot.2024"))
    assert not is_folder(OBJECT)
    assert not is_folder(stored_file("s3://bucket/x.psd"))
    assert is_inside(OBJECT, OBJECT.parent)
    assert is_inside(tmp_path / "a", tmp_path)
    assert not is_inside(tmp_path, OBJECT)
    assert not is_inside(OBJECT, tmp_path)


def test_any_folder_finds_an_absolute_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute(Path("a/../b")) == tmp_path / "b"
    assert absolute(OBJECT) is OBJECT


def test_the_two_kinds_are_told_apart(tmp_path: Path) -> None:
    mixed: list[Location] = [tmp_path, OBJECT, STREAM]
    assert local_files(mixed) == [tmp_path]
    assert stored_files(mixed) == [OBJECT]


def test_existing_ones_are_listed_or_asked_for(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"folder/{n}.jpg" for n in "abc"]
    for name in names[:2]:
        s3.put("bucket", name, b"")
    (tmp_path / "there").touch()
    asked: list[Location] = [tmp_path / "there", tmp_path / "not"]
    asked += [stored_file(f"s3://bucket/{name}") for name in names]
    expected = {asked[0], asked[2], asked[3]}
    assert existing(asked) == expected
    assert (s3.calls["head"], s3.calls["list"]) == (3, 0)
    for most, calls in ((3, (6, 0)), (2, (6, 1))):
        monkeypatch.setattr("matte.photos.locations.MAX_ASKED", most)
        assert existing(asked, stored_file("s3://bucket/folder")) == expected
        assert (s3.calls["head"], s3.calls["list"]) == calls
    assert existing([]) == set()


def test_facts_for_a_report(s3: S3Server, tmp_path: Path) -> None:
    s3.put("bucket", "folder/a.jpg", b"data")
    (tmp_path / "a.jpg").write_bytes(b"data")
    file = stored_file("s3://bucket/folder/a.jpg")
    assert location_facts(file) == {"file": str(file), "sha256": ""}
    assert current_sha256(file) == current_sha256(tmp_path / "a.jpg") != ""
    assert location_facts(file)["sha256"] == location_facts(tmp_path / "a.jpg")["sha256"]


def test_results_in_a_store_are_checked_as_files_are(s3: S3Server) -> None:
    png = stored_file("s3://bucket/a.png")
    check_stored_outputs([(png, [".png"])], [OBJECT])
    with pytest.raises(OutputError, match=r"can't write a\.png: end it in \.tif"):
        check_stored_outputs([(png, [".tif"])], [])
    with pytest.raises(OutputError, match="named twice"):
        check_stored_outputs([(png, [".png"]), (stored_file("s3://bucket/a.png"), [".png"])], [])
    with pytest.raises(OutputError, match="named twice"):
        check_stored_outputs([(png, [".png"])], [stored_file("s3://bucket/a.png")])
    check_stored_output(png, overwrite=False)
    s3.put("bucket", "a.png", b"")
    check_stored_output(png, overwrite=True)
    with pytest.raises(ExistingObjectError):
        check_stored_output(png, overwrite=False)
