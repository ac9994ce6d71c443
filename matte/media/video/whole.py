"""Long outputs: written beside their place, put there when whole, kept aside when not."""

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


class Whole:
    """A file or a folder under a temporary name beside its own, with the same ending.

    It is made at once, empty: what can't be written is said before the work. `place` puts it there;
    `keep` renames what was done to NAME.partial.EXT; `drop` removes it.
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
            raise self._failed(error) from error

    def place(self) -> None:
        """Gives it its name; what has it is replaced."""
        try:
            if self._target.exists():
                shutil.copymode(self._target, self.temporary)
            self.temporary.replace(self._target)
        except OSError as error:
            raise self._failed(error) from error

    def keep(self) -> Path:
        """Renames it to the first free of NAME.partial.EXT, NAME.partial-2.EXT, …"""
        partial = self._partial(1)
        number = 1
        while os.path.lexists(partial):
            number += 1
            partial = self._partial(number)
        self.temporary.rename(partial)
        return partial

    def drop(self) -> None:
        """Removes it."""
        if self.temporary.is_dir():
            shutil.rmtree(self.temporary, ignore_errors=True)
        else:
            self.temporary.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"can't write {self.path} ({error.strerror})", "choose another place")

    def _partial(self, number: int) -> Path:
        mark = "partial" if number == 1 else f"partial-{number}"
        return self.path.with_name(f"{self.path.stem}.{mark}{self.path.suffix}")


class Ending(ABC):
    """Something long that is written within a `with` block. If that is left by an exception, or the
    end can't be written, what was done is kept aside.
    """

    @abstractmethod
    def finish(self) -> None:
        """Ends what is written: it is whole, but has not its name yet."""

    @abstractmethod
    def place(self) -> None:
        """Gives what is finished its name."""

    @abstractmethod
    def keep(self) -> None:
        """Keeps aside what was done and has no place; raises nothing of its own."""

    @abstractmethod
    def close(self) -> None:
        """Lets everything go; what is neither placed nor kept is removed."""

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
            after.callback(self.keep)
            if kind is None:
                self.finish()
                self.place()


class Writer(Ending):
    """Writes a file, or a folder of files; what is kept aside is `partial`.

    Of several that belong together, finish() all before place() gives the first its name.
    """

    path: Path
    partial: Path | None = None
    _whole: Whole
    _finished = _placed = False

    @abstractmethod
    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Adds a frame, shown at `pts` of the clip's time base for `duration`, until the next."""

    def finish(self) -> None:
        """Ends what is written: it is whole, but has not its name yet."""
        self._finish()
        self._finished = True

    def place(self) -> None:
        """Gives what is finished its name."""
        self._place()
        self._placed = True

    def keep(self) -> None:
        """Keeps as `partial` what was done and has no place; raises nothing of its own."""
        with suppress(OutputError, OSError):  # what stopped the work is being raised
            if not self._placed and (self._finished or self._rescued()):
                self.partial = self._whole.keep()

    def close(self) -> None:
        """Lets everything go; what is neither placed nor kept is removed."""
        self._whole.drop()

    @abstractmethod
    def _finish(self) -> None:
        """Ends what is written; raises OutputError, also if there are no frames."""

    def _place(self) -> None:
        self._whole.place()

    @abstractmethod
    def _rescued(self) -> bool:
        """Ends what is written where it is, and whether that is worth keeping."""
