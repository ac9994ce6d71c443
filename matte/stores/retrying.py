"""Calls over a network, made again when they fail for a reason that passes."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from matte.limits import MAX_STORE_TRIES

T = TypeVar("T")

FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.2, 10.0


@dataclass(slots=True)
class Retrier:
    """Makes calls again, after waits that double, and counts how often it had to."""

    is_transient: Callable[[Exception], bool]
    first_wait_seconds: float = FIRST_WAIT_SECONDS
    count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, call: Callable[[int], T]) -> T:
        """Return what `call` returns; it is given how many of its tries failed before."""
        for failures in range(MAX_STORE_TRIES):
            try:
                return call(failures)
            except Exception as error:
                if failures + 1 == MAX_STORE_TRIES or not self.is_transient(error):
                    raise
            with self._lock:
                self.count += 1
            time.sleep(self._wait_seconds(failures))
        raise AssertionError("the last try returns or raises")

    def _wait_seconds(self, failures: int) -> float:
        """Return how long to wait: by chance at least half, so that many don't come at once."""
        longest = min(MAX_WAIT_SECONDS, self.first_wait_seconds * 2**failures)
        return random.uniform(longest / 2, longest)
