"""A progress bar on terminals; nothing in pipes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Watch = Callable[[int, int], None]  # called with how much is done, of how much


@contextmanager
def progress_bar(name: str, quiet: bool = False) -> Iterator[Watch]:
    """Yield a function that moves a bar on standard error; it does nothing off terminals."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
