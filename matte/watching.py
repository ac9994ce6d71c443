"""Whoever waits for a long piece of work: told how far it is, and may stop it by raising.

A command line shows a bar of its own; a server has many clients, and each of them may go away. The
watcher belongs to the thread, or the task, that does the work.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

TRYING_STAGE = "runtimes"  # on the first run, each network is tried in every runtime
Watcher = Callable[[str, float], None]  # called with a stage and the share of it that is done

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Let `watcher` be told of the work within the block; what it raises ends the work."""
    before = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(before)


def tell_watcher(stage: str, done: float) -> None:
    """Tell whoever watches that this share of a stage is done; raises what the watcher raises."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(stage, done)
