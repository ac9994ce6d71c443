"""Small constant tensors, cached on their device, and kept alive for recorded CUDA graphs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import Any

from torch import Tensor

KeptConstants = dict[Any, Tensor]  # by the function that made them and its arguments
_KEPT: ContextVar[KeptConstants | None] = ContextVar("kept", default=None)


@contextmanager
def keep_constants(constants: KeptConstants) -> Iterator[None]:
    """Within the `with` block, read cached tensors from `constants`, and add missing ones to it.

    A recorded graph reads them at their place in memory: they must live as long as the graph does,
    and the caches forget.
    """
    outer = _KEPT.set(constants)
    try:
        yield
    finally:
        _KEPT.reset(outer)


def cache_constants(max_entries: int) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Return a decorator that caches a function's `max_entries` last used tensors by argument.

    Within keep_constants() the tensors are also kept in its dictionary.
    """

    def decorate(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
        cached = lru_cache(maxsize=max_entries)(make)

        @wraps(make)
        def cached_or_kept(*arguments: Any) -> Tensor:
            kept = _KEPT.get()
            if kept is None:
                return cached(*arguments)
            key = make, arguments
            if key not in kept:
                kept[key] = cached(*arguments)
            return kept[key]

        return cached_or_kept

    return decorate
