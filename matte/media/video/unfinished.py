"""Long outputs: written under a temporary name, renamed when whole, kept aside when not."""

import os
import secrets
import shutil
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from matte.errors import OutputError


class UnfinishedOutput:
    """A file or a folder under a temporary name beside its own, with the same ending.

    It is made at once, empty: what can't be written is said before the work. `publish` gives it its
    name; `keep_partial` renames it to NAME.partial.EXT; `discard` removes it.
    """

    def __init__(self, path: Path, folder: bool = False) -> None:
        self.path = path
        self._target = Path(os.path.realpath(path))
        self.temporary = self._target.with_name(
            f".matte-{secrets.token_hex(8)}{self._target.suffix}"
        )
        try:
            if folder:
                self.temporary.mkdir()
            else:
                self.temporary.touch(exist_ok=False)
        except OSError as error:
            raise self._error(error) from error

    def publish(self) -> None:
        """Rename the temporary file to its final name; a file of that name is replaced."""
        try:
            if self._target.exists():
                shutil.copymode(self._target, self.temporary)
            self.temporary.replace(self._target)
        except OSError as error:
            raise self._error(error) from error

    def keep_partial(self) -> Path:
        """Rename to the first free of NAME.partial.EXT, NAME.partial-2.EXT, …, and return that."""
        partial = self._partial_path(1)
        number = 1
        while os.path.lexists(partial):
            number += 1
            partial = self._partial_path(number)
        self.temporary.rename(partial)
        return partial

    def discard(self) -> None:
        """Remove the file, if it is still under its temporary name."""
        if self.temporary.is_dir():
            shutil.rmtree(self.temporary, ignore_errors=True)
        else:
            self.temporary.unlink(missing_ok=True)

    def _error(self, error: OSError) -> OutputError:
        """Return the error to raise where the system refuses to write."""
        return OutputError(f"can't write {self.path} ({error.strerror})", "choose another place")

    def _partial_path(self, number: int) -> Path:
        """Return the `number`th name for an unfinished file."""
        mark = "partial" if number == 1 else f"partial-{number}"
        return self.path.with_name(f"{self.path.stem}.{mark}{self.path.suffix}")


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
        with ExitStack() as after:
            after.callback(self.close)
            after.callback(self.keep_partial)
            if kind is None:
                self.finish()
                self.publish()


class FrameWriter(OutputBlock):
    """Writes frames to a file, or to a folder of files; what is kept aside is `partial`.

    Of several that belong together, finish() all before publish() gives the first its name.
    """

    path: Path
    partial: Path | None = None
    _unfinished: UnfinishedOutput
    _is_finished = _is_published = False

    @abstractmethod
    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Add a frame, shown at `pts` of the clip's time base for `duration`, until the next."""

    def finish(self) -> None:
        """Complete the output, still under its temporary name."""
        self._end_file()
        self._is_finished = True

    def publish(self) -> None:
        """Rename the finished output to its final name."""
        self._rename()
        self._is_published = True

    def keep_partial(self) -> None:
        """Save unpublished output as `partial`, under a name with .partial; raise no error."""
        with suppress(OutputError, OSError):  # what stopped the work is being raised
            if not self._is_published and (self._is_finished or self._salvage()):
                self.partial = self._unfinished.keep_partial()

    def close(self) -> None:
        """Close the output; remove what still has its temporary name."""
        self._unfinished.discard()

    @abstractmethod
    def _end_file(self) -> None:
        """End the file; raise OutputError if that fails, or if there are no frames."""

    def _rename(self) -> None:
        """Rename the finished file to its final name."""
        self._unfinished.publish()

    @abstractmethod
    def _salvage(self) -> bool:
        """End the file where it is; return whether it is worth keeping."""
