"""Long outputs: written under a temporary name, renamed when whole, kept aside when not."""

import os
import shutil
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from matte.errors import MatteError, OutputError
from matte.files import check_output
from matte.interrupts import held_interrupts
from matte.placement import (
    PendingFile,
    create_file,
    pending_file,
    place_files,
    remove_quietly,
    result_permissions,
    write_error,
)
from matte.system_calls import rename_without_replacing

READABLE = 0o444  # by anybody; a folder is to be entered, too: the bits beside
MAX_NAME_BYTES = 255  # of a file, where the system doesn't say


class UnfinishedOutput:
    """A file or a folder under a temporary name beside its own, with the same ending.

    It is made at once, empty: what can't be written is said before the work. `pending` is what
    gives it its name; `keep_partial` renames it to NAME.partial.EXT; `discard` removes it.
    """

    def __init__(
        self,
        path: Path,
        sources: Iterable[Path] = (),
        overwrite: bool = False,
        folder: bool = False,
    ) -> None:
        """Nobody may read the output who may not read the `sources` that it is made from."""
        permissions = result_permissions(sources)
        self.pending = pending_file(path, overwrite, permissions, "" if folder else path.suffix)
        self.temporary = self.pending.temporary
        self._is_kept = False
        try:
            if folder:
                self.temporary.mkdir(permissions | (permissions & READABLE) >> 2)
            else:
                create_file(self.temporary, permissions).close()
        except OSError as error:
            raise write_error(path, error) from error

    def restrict(self, sources: Iterable[Path]) -> None:
        """Let nobody read the output who may not read these sources, too."""
        permissions = self.pending.permissions & result_permissions(sources)
        self.pending = replace(self.pending, permissions=permissions)
        mode = stat.S_IMODE(self.temporary.stat().st_mode)
        self.temporary.chmod(mode & (permissions | (permissions & READABLE) >> 2))

    def keep_partial(self) -> Path:
        """Rename to the first free of NAME.partial.EXT, NAME.partial-2.EXT, …, and return that.

        It keeps its temporary name where that fails: what was done is not lost.
        """
        for number in count(1):
            partial = self._partial_path(number)
            if os.path.lexists(partial):
                continue
            try:
                if not rename_without_replacing(self.temporary, partial):
                    self.temporary.rename(partial)
            except FileExistsError:
                continue
            except OSError:
                self._is_kept = True
                return self.temporary
            return partial
        raise AssertionError("there is no last number")

    def discard(self) -> None:
        """Remove the file, if it is still under its temporary name and not kept so."""
        if self._is_kept:
            return
        if self.temporary.is_dir():
            shutil.rmtree(self.temporary, ignore_errors=True)
        else:
            remove_quietly(self.temporary)

    def _partial_path(self, number: int) -> Path:
        """Return the `number`th name for an unfinished file: where a link leads, on its disk.

        The name is cut to what the disk takes.
        """
        path, folder = self.pending.path, self.temporary.parent
        ending = f".partial{path.suffix}" if number == 1 else f".partial-{number}{path.suffix}"
        stem = path.stem
        while len(os.fsencode(stem + ending)) > _max_name_bytes(folder):
            stem = stem[:-1]
        if os.path.realpath(path.parent) == str(folder):
            folder = path.parent
        return folder / f"{stem}{ending}"


def _max_name_bytes(folder: Path) -> int:
    """Return how long a name in this folder may be."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows has no such function
        return MAX_NAME_BYTES


class OutputBlock(ABC):
    """A long output that is written within a `with` block.

    If the block is left by an exception, or the end can't be written, what was done is kept aside.
    """

    @abstractmethod
    def finish(self) -> None:
        """Complete the output, still under its temporary name."""

    @abstractmethod
    def publish(self) -> None:
        """Rename the finished output to its final name."""

    @abstractmethod
    def keep_partial(self) -> None:
        """Save unpublished output under a name with .partial in it; raise no error."""

    @abstractmethod
    def close(self) -> None:
        """Close the output; remove what still has its temporary name."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with held_interrupts(), ExitStack() as after:
            after.callback(self.close)
            after.callback(self.keep_partial)
            if kind is None:
                self.finish()
                self.publish()


class FrameWriter(OutputBlock):
    """Writes frames to a file, or to a folder of files.

    What is kept aside is `partial`, which was opened: it holds `partial_frames`. Of several writers
    that belong together, finish() all, then publish_together().
    """

    path: Path
    partial: Path | None = None
    partial_frames = 0
    _unfinished: UnfinishedOutput
    _is_finished = _is_published = False

    @abstractmethod
    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Add a frame, shown at `pts` of the clip's time base for `duration`, until the next."""

    def restrict(self, sources: Iterable[Path]) -> None:
        """Let nobody read the output who may not read these files, from which it is made."""
        self._unfinished.restrict(sources)

    def finish(self) -> None:
        """Complete the output, still under its temporary name."""
        self._end_file()
        self._is_finished = True

    def publish(self) -> None:
        """Rename the finished output to its final name."""
        publish_together([self])

    def pending_files(self) -> list[PendingFile]:
        """Return the files to be renamed to their final names, all of them finished."""
        check_output(self.path, self._unfinished.pending.overwrite)
        return [self._unfinished.pending]

    def end_publishing(self) -> None:
        """Note that the output has its final name."""
        self._is_published = True

    def keep_partial(self) -> None:
        """Save unpublished output as `partial`, under a name with .partial; raise no error.

        It is kept only if there are frames in it when it is opened.
        """
        with suppress(MatteError, OSError):  # what stopped the work is being raised
            if self._is_published:
                return
            if not self._is_finished:
                with suppress(OutputError, OSError):
                    self._salvage()
            frames = self._count_frames()
            if frames:
                self.partial, self.partial_frames = self._unfinished.keep_partial(), frames

    def close(self) -> None:
        """Close the output; remove what still has its temporary name."""
        self._unfinished.discard()

    @abstractmethod
    def _end_file(self) -> None:
        """End the file; raise OutputError if that fails, or if there are no frames."""

    @abstractmethod
    def _salvage(self) -> None:
        """End the file where it is, as far as that is possible."""

    @abstractmethod
    def _count_frames(self) -> int:
        """Return how many frames there are in the file as it is on the disk."""


def publish_together(writers: Sequence[FrameWriter], others: Iterable[PendingFile] = ()) -> None:
    """Rename the finished outputs of all writers, and other files, or none of them."""
    files = [file for writer in writers for file in writer.pending_files()]
    place_files([*files, *others])
    for writer in writers:
        writer.end_publishing()
