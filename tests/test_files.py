import os
import subprocess
import sys
from pathlib import Path

import pytest

from matte.errors import OutputError
from matte.files import check_outputs, write_file, write_files
from tests.rights import without_root_rights


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


def test_who_may_read_a_file_stays_when_it_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(b"old")
    path.chmod(0o600)
    write_file(path, b"new", overwrite=True)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("existing", [False, True])
def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, existing: bool) -> None:
    """The limit on a file's size is the nearest to a full disk that every machine has."""
    path = tmp_path / "out.png"
    if existing:
        path.write_bytes(b"old")
    code = """
import resource, sys
from pathlib import Path
from matte.errors import OutputError
from matte.files import write_file
from tests.rights import without_root_rights
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_file(Path(sys.argv[1]), bytes(1_000_000), overwrite=True)
except OutputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"can't write {path} (File too large): choose another place\n"
    assert [file.name for file in tmp_path.iterdir()] == ["out.png"] * existing
    assert not existing or path.read_bytes() == b"old"


def test_a_failed_renaming_leaves_what_was_there(
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


def test_of_several_files_all_are_written_or_none(tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    write_files([(one, b"1"), (two, b"2")])
    assert (one.read_bytes(), two.read_bytes()) == (b"1", b"2")
    with pytest.raises(OutputError, match=r"two\.png exists"):
        write_files([(tmp_path / "three.png", b"3"), (two, b"4")])
    two.unlink()
    long = tmp_path / ("x" * 250 + ".png")  # only its temporary name fits
    two.symlink_to(long.with_name("x" * 300))
    with pytest.raises(OutputError, match="File name too long"):
        write_files([(one, b"4"), (two, b"4")], overwrite=True)
    assert one.read_bytes() == b"1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "old.png").write_bytes(b"old")
    folder.chmod(0o555)
    with without_root_rights():
        for path in (folder / "new.png", folder / "old.png"):
            with pytest.raises(OutputError, match=r"can't write .* \(Permission denied\): cho"):
                write_file(path, b"new", overwrite=True)
    folder.chmod(0o755)
    assert [file.read_bytes() for file in folder.iterdir()] == [b"old"]


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    link = tmp_path / "null.png"
    link.symlink_to("/dev/null")
    for path in (pipe, link, Path("/dev/null")):
        with pytest.raises(OutputError, match="is no file but a device"):
            write_file(path, b"", overwrite=True)
    assert not Path("/dev/null").is_file()


def test_a_link_to_nowhere_is_written_where_it_points(tmp_path: Path) -> None:
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "new.png")
    write_file(link, b"new", overwrite=True)
    assert (tmp_path / "new.png").read_bytes() == b"new"
    assert link.is_symlink()


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
    for path in (loop, tmp_path / ("x" * 300 + ".png"), tmp_path / "a\0b.png"):
        with pytest.raises(OutputError):
            write_file(path, b"")
