"""A progress bar on terminals; nothing in pipes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from matte.errors import printable
from matte.watching import TRYING_STAGE, watched_by

if TYPE_CHECKING:
    from matte.stages import Progress as ProgressFunction


@contextmanager
def first_run_noted() -> Iterator[None]:
    """Say on terminals, once, when the runtimes are tried: the first time takes seconds longer."""
    told = False

    def note(stage: str, done: float) -> None:
        """Print the note if that is the stage."""
        nonlocal told
        if stage == TRYING_STAGE and not told and sys.stderr.isatty():
            told = True
            text = "Note: the first time on this machine: trying which runtime is the fastest …"
            click.echo(text, err=True)

    with watched_by(note):
        yield


@contextmanager
def progress_bar(
    name: str, quiet: bool = False, *, frames: bool = False
) -> Iterator["ProgressFunction"]:
    """Yield a function that moves a bar on standard error; it does nothing off terminals.

    A total of 0 is one that nobody knows. `frames`: what is counted are frames, and their rate is
    shown, too.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import MofNCompleteColumn, Progress, TextColumn

    columns = list(Progress.get_default_columns())
    if frames:
        text = "frames, {task.fields[fps]} fps, time left"
        columns[2:3] = [MofNCompleteColumn(), TextColumn(text)]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(escape(printable(name)), total=None, fps="?")

        def watch(done: int, total: int) -> None:
            """Move the bar, and show the rate of the last seconds."""
            rate = progress.tasks[bar].speed
            fps = "?" if rate is None else f"{rate:.1f}"
            progress.update(bar, completed=done, total=total or None, fps=fps)

        yield watch
