from pathlib import Path

import pytest

from matte.errors import OutputError
from matte.files import check_outputs, write_file


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


def test_no_output_may_be_a_source_or_another_output(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(b"")
    (tmp_path / "link.png").symlink_to(source)
    (tmp_path / "twin.png").hardlink_to(source)
    out = tmp_path / "out.png"
    check_outputs([(out, (".png",))], [source], overwrite=True)
    for paths in ([source], [tmp_path / "link.png"], [tmp_path / "twin.png"], [out, out]):
        with pytest.raises(OutputError, match="is named twice: give every file its own name"):
            check_outputs([(path, (".png",)) for path in paths], [source], overwrite=True)
    with pytest.raises(OutputError, match=r"can't write out\.png: end it in \.tif"):
        check_outputs([(out, (".tif",))], [], overwrite=True)


def test_the_target_of_a_link_is_written(tmp_path: Path) -> None:
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    link.symlink_to(real)
    with pytest.raises(OutputError, match="exists"):
        write_file(link, b"new")
    write_file(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_odd_names_are_answered_in_one_line(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    for path in (loop, tmp_path / ("x" * 300 + ".png")):
        with pytest.raises(OutputError):
            write_file(path, b"")
