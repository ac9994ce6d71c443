"""Steps of work that overlap: each in a thread of its own, a few items ahead of the next."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from threading import Condition, Lock, Semaphore, Thread
from typing import Generic, TypeVar

import cv2

MIN_THREADS_FOR_ALL = 4  # processors from which each step gets a thread of its own

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a step's results, and the error that ended it, if one did."""

    error: BaseException | None = None


def run_ahead(
    step: Callable[[Iterator[In]], Iterable[Out]], items: Generator[In], depth: int
) -> Generator[Out]:
    """Yield a step's results for the items, computed in a thread up to `depth` results ahead.

    Results come in the step's order. What the step or the items raise is raised here. Closing this
    generator ends the thread and closes the items, which may be such a generator themselves.
    """
    results: SimpleQueue[Out | _End] = SimpleQueue()
    room = Semaphore(depth)
    closed = False

    def work() -> None:
        """Put all results into the queue, then the end."""
        end = _End()
        try:
            with closing(items):
                for result in step(items):
                    results.put(result)
                    room.acquire()
                    if closed:
                        return
        except BaseException as error:  # noqa: BLE001  # raised again where the results are read
            end = _End(error)
        results.put(end)

    thread = Thread(target=work, name=getattr(step, "__name__", "step"), daemon=True)
    thread.start()
    try:
        while not isinstance(result := results.get(), _End):
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


class TimedResults(Generic[Out]):
    """Results of a generator that runs in a thread, to be fetched by who waits only for so long.

    A result waits until it is fetched; the generator goes on meanwhile only once it is.
    """

    def __init__(self, items: Generator[Out]) -> None:
        """Start the thread; close() ends it."""
        self._changed = Condition()
        self._result: Out | _End | None = None
        self._closed = False
        self._thread = Thread(target=self._work, args=(items,), name="results", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether there are no more results."""
        with self._changed:
            return isinstance(self._result, _End)

    def fetch(self, max_wait: float) -> Out | None:
        """Return the next result; None if none comes within `max_wait` seconds, or all have.

        Raises what ended the generator, if it was an error.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._result is not None, max_wait)
            result = self._result
            if isinstance(result, _End):
                if result.error is not None:
                    raise result.error
                return None
            self._result = None
            self._changed.notify_all()
            return result

    def close(self) -> None:
        """End the thread, and close the generator."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self, items: Generator[Out]) -> None:
        """Hand over all results, then the end."""
        end = _End()
        try:
            with closing(items):
                for result in items:
                    if not self._hand_over(result):
                        break
        except BaseException as error:  # noqa: BLE001  # raised again where results are fetched
            end = _End(error)
        with self._changed:
            self._result = end
            self._changed.notify_all()

    def _hand_over(self, result: Out) -> bool:
        """Wait until a result is fetched; return False if none is wanted any more."""
        with self._changed:
            self._result = result
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._result is None or self._closed)
            return not self._closed


def in_batches(items: Iterator[In], size: int) -> Iterator[list[In]]:
    """Yield the items in lists of `size`; the last one may be shorter."""
    while batch := list(islice(items, size)):
        yield batch


class _SingleThreadedOpenCV:
    """Gives OpenCV one thread while any of its blocks is open."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open_blocks = self._threads_before = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Open a block; OpenCV has its threads again when the last one ends."""
        with self._lock:
            if not self._open_blocks:
                self._threads_before = cv2.getNumThreads()
                cv2.setNumThreads(1)
            self._open_blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._open_blocks -= 1
                if not self._open_blocks:
                    cv2.setNumThreads(self._threads_before)


single_threaded_opencv = _SingleThreadedOpenCV()
"""`with single_threaded_opencv():` OpenCV has one thread for each call; such blocks may overlap."""
