from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from matte.errors import OutputError
from matte.media.video.unfinished import FrameWriter, UnfinishedOutput
from tests.media.clips import names


class Lines(FrameWriter):
    """Writes a line for each frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unfinished = UnfinishedOutput(path)

    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        with self._unfinished.temporary.open("a") as file:
            file.write(f"{pts}\n")

    def _end_file(self) -> None:
        if not self._salvage():
            raise OutputError("no frames", "choose another range")

    def _salvage(self) -> bool:
        return self._unfinished.temporary.stat().st_size > 0


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
def test_files_and_folders_are_published_or_discarded(tmp_path: Path, folder: bool) -> None:
    output = UnfinishedOutput(tmp_path / "a", folder)
    assert output.temporary.is_dir() is folder
    output.discard()
    assert names(tmp_path) == []
    output = UnfinishedOutput(tmp_path / "a", folder)
    output.publish()
    assert (tmp_path / "a").is_dir() is folder
    output.discard()
    assert names(tmp_path) == ["a"]
