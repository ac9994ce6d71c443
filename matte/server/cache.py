"""What the steps of pictures found, as much of it as fits: the oldest goes first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from numpy.typing import NDArray

T = TypeVar("T")
Arrays = tuple[NDArray[Any] | None, ...]


class StepCache:
    """Results by picture, step and what they depend on; bounded by the bytes of their arrays."""

    def __init__(
        self, max_bytes: int, is_known: Callable[[Hashable], bool] = lambda _: True
    ) -> None:
        """`is_known` says whether a picture is still to be remembered."""
        self._max_bytes, self._is_known = max_bytes, is_known
        self._kept: OrderedDict[tuple[Hashable, ...], tuple[Any, int]] = OrderedDict()
        self._changing = Lock()
        self.kept_bytes = 0

    def find(self, key: tuple[Hashable, ...]) -> Any:
        """Return what is kept; None if nothing is."""
        with self._changing:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: tuple[Hashable, ...], value: Any, arrays: Arrays) -> None:
        """Keep a value whose memory is that of `arrays`; forget the oldest that don't fit."""
        size = sum(array.nbytes for array in arrays if array is not None)
        with self._changing:
            self._drop(key)
            if size > self._max_bytes or not self._is_known(key[0]):
                return
            self._kept[key] = value, size
            self.kept_bytes += size
            while self.kept_bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def find_or_make(
        self, key: tuple[Hashable, ...], make: Callable[[], T], arrays: Callable[[T], Arrays]
    ) -> T:
        """Return what is kept, or make it and keep it."""
        found: T | None = self.find(key)
        if found is None:
            found = make()
            self.keep(key, found, arrays(found))
        return found

    def forget(self, picture: Hashable) -> None:
        """Forget all of a picture: keys begin with it."""
        with self._changing:
            for key in [key for key in self._kept if key[0] == picture]:
                self._drop(key)

    def _drop(self, key: tuple[Hashable, ...]) -> None:
        """Forget one result, the lock held."""
        found = self._kept.pop(key, None)
        if found is not None:
            self.kept_bytes -= found[1]
