"""A progress bar on terminals; nothing in pipes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from matte.errors import printable

if TYPE_CHECKING:
    from matte.stages import Progress as ProgressFunction


@contextmanager
def progress_bar(name: str, quiet: bool = False) -> Iterator["ProgressFunction"]:
    """Yield a function that moves a bar on standard error; it does nothing off terminals.

    A total of 0 is one that nobody knows.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(escape(printable(name)), total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total or None)
