"""Steps of work that overlap: each in a thread of its own, a few items ahead of the next."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import TypeVar

import cv2

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


def ahead(
    step: Callable[[Iterator[In]], Iterable[Out]], items: Generator[In], depth: int
) -> Generator[Out]:
    """What the step makes of the items, in its order, up to `depth` before it is asked for.

    What the step or the items raise is raised here. To close this ends the thread and closes the
    items, which may be such a generator themselves.
    """
    found: SimpleQueue[Out | _End] = SimpleQueue()
    room = Semaphore(depth)
    closed = False

    def work() -> None:
        end = _End()
        try:
            with closing(items):
                for result in step(items):
                    found.put(result)
                    room.acquire()
                    if closed:
                        return
        except BaseException as error:  # noqa: BLE001  # whoever takes the items gets it
            end = _End(error)
        found.put(end)

    thread = Thread(target=work, name=getattr(step, "__name__", "step"), daemon=True)
    thread.start()
    try:
        while not isinstance(result := found.get(), _End):
            room.release()
            yield result
            del result  # frames are large
        if result.error is not None:
            raise result.error
    finally:
        closed = True
        room.release()
        try:
            thread.join()
        except KeyboardInterrupt:  # the thread still works with what would be closed
            thread.join()
            raise


class _Single:
    """Counts the blocks in which OpenCV has one thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks = self._before = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._blocks:
                self._before = cv2.getNumThreads()
                cv2.setNumThreads(1)
            self._blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1
                if not self._blocks:
                    cv2.setNumThreads(self._before)


single_opencv = _Single()
"""`with single_opencv():` OpenCV has one thread for each call; such blocks may overlap."""
