import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from matte.errors import OutputError
from matte.media.video.unfinished import FrameWriter, UnfinishedOutput
from tests.media.clips import names


class Lines(FrameWriter):
    """Writes a line for each frame."""

    def __init__(self, path: Path, sources: Sequence[Path] = ()) -> None:
        self.path = path
        self._unfinished = UnfinishedOutput(path, sources)

    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        with self._unfinished.temporary.open("a") as file:
            file.write(f"{pts}\n")

    def _end_file(self) -> None:
        if not self._count_frames():
            raise OutputError("no frames", "choose another range")

    def _salvage(self) -> None:
        pass

    def _count_frames(self) -> int:
        return self._unfinished.temporary.read_text().count("\n")


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with Lines(path) as writer:
        writer.write(None, 1)  # type: ignore[arg-type]  # not looked at
        assert not path.exists()
    assert path.read_text() == "1\n"
    assert names(tmp_path) == ["a.txt"]
    assert writer.partial is None


def write_and_interrupt(writer: Lines, number: int) -> None:
    with writer:
        writer.write(None, number)  # type: ignore[arg-type]  # not looked at
        raise KeyboardInterrupt


def test_what_was_done_is_kept_under_a_free_name(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("older")
    for number, kept in enumerate(("a.partial.txt", "a.partial-2.txt")):
        writer = Lines(path)
        with pytest.raises(KeyboardInterrupt):
            write_and_interrupt(writer, number)
        assert writer.partial == tmp_path / kept
        assert writer.partial.read_text() == f"{number}\n"
        assert writer.partial_frames == 1
    assert path.read_text() == "older"


def test_nothing_stays_where_nothing_was_done(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no frames"), Lines(tmp_path / "a.txt"):
        pass
    with pytest.raises(KeyboardInterrupt), Lines(tmp_path / "a.txt"):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_a_folder_that_can_not_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"can't write .*a\.txt .*: choose another place"):
        UnfinishedOutput(tmp_path / "none" / "a.txt")


@pytest.mark.parametrize("folder", [False, True])
def test_files_and_folders_are_made_and_discarded(tmp_path: Path, folder: bool) -> None:
    output = UnfinishedOutput(tmp_path / "a", folder=folder)
    assert output.temporary.is_dir() is folder
    output.discard()
    assert names(tmp_path) == []


def test_a_file_that_appeared_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    writer = Lines(path)

    def write_late() -> None:
        with writer:
            writer.write(None, 1)  # type: ignore[arg-type]  # not looked at
            path.write_text("theirs")

    with pytest.raises(OutputError, match=r"a\.txt exists"):
        write_late()
    assert path.read_text() == "theirs"
    assert writer.partial == tmp_path / "a.partial.txt"
    assert writer.partial.read_text() == "1\n"


@pytest.mark.parametrize("stem", ["x" * 250, "ü" * 125])
def test_the_longest_names_have_partial_ones(tmp_path: Path, stem: str) -> None:
    for number in ("partial", "partial-2"):
        writer = Lines(tmp_path / f"{stem}.txt")
        with pytest.raises(KeyboardInterrupt):
            write_and_interrupt(writer, 1)
        assert writer.partial is not None
        assert writer.partial.name.endswith(f"{stem[0]}.{number}.txt")
        assert writer.partial.is_file()


def test_what_is_behind_a_link_stays_on_its_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "a.txt").symlink_to(tmp_path / "disk" / "far.txt")
    writer = Lines(tmp_path / "a.txt")
    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt(writer, 1)
    assert writer.partial == tmp_path / "disk" / "a.partial.txt"
    assert names(tmp_path) == ["a.txt", "disk"]


def test_what_can_not_be_renamed_is_kept_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matte.media.video.unfinished.rename_without_replacing", full)
    writer = Lines(tmp_path / "a.txt")
    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt(writer, 1)
    assert writer.partial is not None
    assert names(tmp_path) == [writer.partial.name]
    assert writer.partial.read_text() == "1\n"


def test_signals_do_not_interrupt_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Ctrl-C, while the encoder of an interrupted clip is emptied, loses nothing."""

    def interrupted(self: Lines) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Lines, "_salvage", interrupted)
    writer = Lines(tmp_path / "a.txt")
    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt(writer, 1)
    assert names(tmp_path) == ["a.partial.txt"]


def test_nobody_else_may_read_what_is_made_from_private_files(tmp_path: Path) -> None:
    private, open_to_all = tmp_path / "private", tmp_path / "open"
    for path, mode in ((private, 0o600), (open_to_all, 0o644)):
        path.touch()
        path.chmod(mode)
    writer = Lines(tmp_path / "a.txt", [open_to_all])
    (tmp_path / "plain").touch()
    with writer:
        assert writer._unfinished.temporary.stat().st_mode == (tmp_path / "plain").stat().st_mode
        writer.restrict([private])
        assert writer._unfinished.temporary.stat().st_mode & 0o777 == 0o600
        writer.write(None, 1)  # type: ignore[arg-type]  # not looked at
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o600
