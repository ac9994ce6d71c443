"""Tables for terminals, and plain text for programs."""

import io
import shutil
import sys
from collections.abc import Sequence

from matte.errors import printable

UNLIMITED_COLUMNS = 1000  # characters: no line is broken where no terminal sets a limit


def terminal_columns() -> int | None:
    """Return the width in characters of the terminal that standard output is; None elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def draw_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: int | None = None,
    *,
    remarks: bool = False,
    ruled: bool = False,
) -> str:
    """Return a table of texts: the first column is flush left, numbers after it flush right.

    With `columns`, a terminal's width, the titles are underlined; without, each row is one plain
    line. `remarks`: the last column is text, flush left. `ruled`: on a terminal lines divide the
    rows, and the first column isn't broken.
    """
    from rich.box import SIMPLE_HEAD  # not for commands that draw none
    from rich.console import Console
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD if columns else None, pad_edge=False, show_lines=ruled and bool(columns)
    )
    for number, title in enumerate(titles):
        is_text = number == 0 or (remarks and number == len(titles) - 1)
        table.add_column(
            title, justify="left" if is_text else "right", no_wrap=ruled and number == 0
        )
    for row in rows:
        cells = list(row)
        for number in {0, len(row) - 1 if remarks else 0}:
            cells[number] = printable(cells[number])  # may be a file's name
        table.add_row(*cells)
    text = io.StringIO()
    width = columns or UNLIMITED_COLUMNS
    Console(file=text, width=width, color_system=None, markup=False, emoji=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip().splitlines())
