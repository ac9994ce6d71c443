from pathlib import Path

import pytest

from matte.errors import OutputError
from matte.media.files import write_file


def test_a_file_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    write_file(path, b"one")
    with pytest.raises(OutputError, match="exists: choose another name or add --overwrite"):
        write_file(path, b"two")
    assert path.read_bytes() == b"one"
    write_file(path, b"two", overwrite=True)
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_readable_by_others_as_usual(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_file(tmp_path / "out", b"")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_file(path, b"new", overwrite=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_places_that_can_not_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no folder .*nowhere to write x.png into: create it"):
        write_file(tmp_path / "nowhere/x.png", b"")
    with pytest.raises(OutputError, match="is a folder: name a file"):
        write_file(tmp_path, b"")
