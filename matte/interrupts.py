"""Ctrl-C and requests to end: answered between two frames, and never while a file is ended."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from matte.errors import InterruptedRunError

Handler = Callable[[int, FrameType | None], None]
STDERR = 2
SHOW_CURSOR = b"\x1b[?25h"  # which a progress bar hides
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
    """Hold signals that ask to end back until the end of the block; then they are delivered."""
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
def ending_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the program at once within the block, where there is nothing to tidy up.

    An exception could come in the middle of an import: it would be lost in there, or leave a lock
    that threads wait for, for ever.
    """

    def end(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            line = b"Error: interrupted\n"
            os.write(STDERR, SHOW_CURSOR + b"\n" + line if os.isatty(STDERR) else line)
        os._exit(InterruptedRunError.exit_code)

    if not is_program():
        yield
        return
    with _handled_by(end, [signal.SIGINT]):
        yield


def is_program() -> bool:
    """Return whether the command line is a program's, and not called by another one, as a test."""
    try:
        return sys.stderr.fileno() == STDERR
    except (AttributeError, OSError, ValueError):
        return False


def end_process(exit_code: int = InterruptedRunError.exit_code) -> NoReturn:
    """End the process at once, without waiting for its threads.

    If an import was interrupted, threads that import anything wait for ever.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # closed, or nobody reads any more
            stream.flush()
    os._exit(exit_code)


@contextmanager
def _handled_by(handler: Handler, numbers: Sequence[int] = SIGNALS) -> Iterator[None]:
    """Let `handler` have the signals within the block, but for those that the process ignores.

    It was started so by `nohup`, or in the background of a script. Python handles signals in its
    main thread: in others nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
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
