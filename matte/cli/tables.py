"""Tables for terminals, and plain text for programs."""

import io
import shutil
import sys
from collections.abc import Sequence

WIDTH_OF_FILES = 1000  # characters: no line is broken where no terminal sets a limit


def draw_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts: the first column is flush left, numbers after it flush right.

    On a terminal it has a rule and the terminal's width; elsewhere each row is one plain line.
    The last column holds remarks, flush left.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else WIDTH_OF_FILES
    table = Table(box=SIMPLE_HEAD if terminal else None, pad_edge=False)
    for number, title in enumerate(titles):
        number_column = 0 < number < len(titles) - 1
        table.add_column(title, justify="right" if number_column else "left")
    for row in rows:
        table.add_row(*row)
    text = io.StringIO()
    Console(file=text, width=width, color_system=None, markup=False, emoji=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip().splitlines())
