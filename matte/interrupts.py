"""Ctrl-C and requests to end: answered between two frames, and never while a file is ended."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]
# Ctrl-C, a request to end, and a terminal that is closed; Windows has no SIGHUP.
SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], None]]:
    """Defer signals that ask to end within the block, and yield a function that handles them.

    Called between two frames, it raises KeyboardInterrupt if one has come: native code is not
    interrupted in its middle. A second signal is answered at once, unless the first one was
    answered before: then what was done is being saved, and further signals change nothing.
    """
    requested = answered = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal requested, answered
        if requested and not answered:
            answered = True
            raise KeyboardInterrupt
        requested = True

    def check() -> None:
        nonlocal answered
        if requested:
            answered = True
            raise KeyboardInterrupt

    with _handled_by(note):
        yield check


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Hold signals that ask to end back until the end of the block; then they are delivered.

    Python handles signals in its main thread: in others nothing needs to be held.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: dict[int, None] = {}

    def hold(number: int, frame: FrameType | None) -> None:
        held[number] = None

    try:
        with _handled_by(hold):
            yield
    finally:
        for number in held:
            signal.raise_signal(number)


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    """Let `handler` have the signals within the block, but for those that the process ignores.

    It was started so by `nohup`, or in the background of a script.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    handled = {
        number: former for number, former in before.items() if former not in (signal.SIG_IGN, None)
    }
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, former in handled.items():
            signal.signal(number, former)
