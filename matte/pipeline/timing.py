"""A stopwatch for the stages of a run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from matte.watching import tell_watcher


class Stopwatch:
    """Adds up milliseconds by name."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the milliseconds that the `with` block takes to `name`; tell whoever watches."""
        tell_watcher(name, 0)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, 1000 * (time.perf_counter() - start))

    def add(self, name: str, spent: float) -> None:
        """Add milliseconds that were measured elsewhere."""
        self.ms[name] = round(self.ms.get(name, 0) + spent, 3)
