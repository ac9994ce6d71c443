import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from matte import placement
from matte.errors import OutputError
from matte.placement import (
    PendingFile,
    pending_file,
    place_files,
    remove_leftovers,
    result_permissions,
)
from matte.system_calls import process_mark
from tests.media.clips import names


def pending(path: Path, text: str, overwrite: bool = False) -> PendingFile:
    """A file that is whole under its temporary name."""
    file = pending_file(path, overwrite)
    file.temporary.write_text(text)
    return file


@pytest.fixture(params=[True, False], ids=["in one step", "by a placeholder"])
def renaming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to rename a file without replacing one."""
    if not request.param:
        monkeypatch.setattr(placement, "rename_without_replacing", lambda old, new: False)


@pytest.mark.usefixtures("renaming")
def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    file = pending(tmp_path / "a", "new")
    (tmp_path / "a").write_text("theirs")
    with pytest.raises(OutputError, match=r"a exists: choose another name or add --overwrite"):
        place_files([file])
    assert (tmp_path / "a").read_text() == "theirs"
    assert file.temporary.read_text() == "new"
    (tmp_path / "a").unlink()
    place_files([file])
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "new"


@pytest.mark.usefixtures("renaming")
@pytest.mark.parametrize("overwrite", [False, True])
def test_all_files_are_placed_or_none(tmp_path: Path, overwrite: bool) -> None:
    files = [pending(tmp_path / name, f"new {name}", overwrite) for name in "abc"]
    if overwrite:
        (tmp_path / "a").write_text("old a")
        (tmp_path / "a").chmod(0o640)
    (tmp_path / "c").mkdir()  # appeared after the check
    before = names(tmp_path)
    with pytest.raises(OutputError, match=r"c exists|can't write .*c "):
        place_files(files)
    assert names(tmp_path) == before
    if overwrite:
        assert (tmp_path / "a").read_text() == "old a"
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert [file.temporary.read_text() for file in files] == ["new a", "new b", "new c"]
    (tmp_path / "c").rmdir()
    place_files(files)
    assert names(tmp_path) == ["a", "b", "c"]
    assert [(tmp_path / name).read_text() for name in "abc"] == ["new a", "new b", "new c"]


def test_a_file_is_copied_where_it_can_have_no_second_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    with pytest.raises(OutputError):
        place_files([pending(tmp_path / name, "new", overwrite=True) for name in "ab"])
    assert (tmp_path / "a").read_text() == "old"


def test_files_are_on_the_disk_before_the_first_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [pending(tmp_path / name, name) for name in "ab"]
    seen: list[tuple[int, list[str]]] = []
    monkeypatch.setattr(
        os, "fsync", lambda file: seen.append((os.fstat(file).st_ino, names(tmp_path)))
    )
    hidden, inodes = names(tmp_path), [file.temporary.stat().st_ino for file in files]
    place_files(files)
    assert seen[:2] == [(inode, hidden) for inode in inodes]
    assert seen[2:] == [(tmp_path.stat().st_ino, ["a", "b"])]


def test_a_signal_waits_until_all_are_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [pending(tmp_path / name, name) for name in "ab"]
    place = placement._place

    def interrupted(*arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)
        place(*arguments)  # type: ignore[arg-type]  # whatever they are

    monkeypatch.setattr(placement, "_place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place_files(files)
    assert names(tmp_path) == ["a", "b"]


def test_a_result_is_not_more_public_than_its_sources(tmp_path: Path) -> None:
    sources = [tmp_path / name for name in "abc"]
    for source, mode in zip(sources, (0o600, 0o644, 0o444), strict=True):
        source.touch()
        source.chmod(mode)
    private, public, read_only = sources
    assert result_permissions([public, private]) == 0o600
    assert result_permissions([read_only]) == 0o644  # its owner can change it
    assert result_permissions([]) == 0o666
    assert result_permissions([tmp_path / "none", Path("/dev/null"), tmp_path]) == 0o666


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    own = pending(tmp_path / "a.png", "of this process")
    mark = re.fullmatch(r"\.matte-(\w+-\d+-)(\d+)(-.*)", own.temporary.name)
    if mark is None:
        pytest.skip("this system doesn't say when a process began")
    dead = f".matte-{mark[1]}1{mark[3]}"
    kept = [own.temporary.name, f"{dead}.mov", f"{dead}.old", ".matte-0123456789abcdef", "a.png"]
    kept += [f".matte-00000000-1-1{mark[3]}", f".matte-{mark[1]}1-frames", f"x{dead}"]
    for name in (dead, *kept):
        (tmp_path / name).touch()
    (tmp_path / f"{dead[:-1]}x").mkdir()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted([*kept, f"{dead[:-1]}x"])
    remove_leftovers(tmp_path / "none")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_the_next_process_finds_what_a_killed_one_was_writing(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from matte.placement import pending_file\n"
        "pending_file(Path(sys.argv[1])).temporary.touch(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"], check=False)
    (left,) = names(tmp_path)
    if not process_mark():
        pytest.skip("this system doesn't say when a process began")
    assert left.startswith(".matte-")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []
