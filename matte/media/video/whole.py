"""Long outputs: written beside their place, put there when whole, kept aside when not."""

import os
import secrets
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from matte.errors import OutputError


class Whole:
    """A file or a folder under a temporary name beside its own, with the same ending.

    `place` puts it there; `keep` renames what was done to NAME.partial.EXT; `drop` removes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = Path(os.path.realpath(path))
        self.temporary = self._target.with_name(
            f".matte-{secrets.token_hex(8)}{self._target.suffix}"
        )

    def place(self) -> None:
        """Gives it its name; what has it is replaced."""
        try:
            if self._target.exists():
                shutil.copymode(self._target, self.temporary)
            self.temporary.replace(self._target)
        except OSError as error:
            raise OutputError(
                f"can't write {self.path} ({error.strerror})", "choose another place"
            ) from error

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

    def _partial(self, number: int) -> Path:
        mark = "partial" if number == 1 else f"partial-{number}"
        return self.path.with_name(f"{self.path.stem}.{mark}{self.path.suffix}")


class Writer(ABC):
    """Writes something long within a `with` block. If that is left by an exception, what was done
    is kept as `partial`.
    """

    partial: Path | None = None
    _whole: Whole

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._rescue()
        finally:
            self._close()

    @abstractmethod
    def _finish(self) -> None:
        """Puts what is whole into its place."""

    @abstractmethod
    def _rescue(self) -> None:
        """Keeps what was done, if it is worth it, and raises nothing of its own."""

    def _close(self) -> None:
        """Lets everything go, in any case."""
        self._whole.drop()
