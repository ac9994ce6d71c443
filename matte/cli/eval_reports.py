"""What every `matte eval` command has: its data, its peers, its table and its files."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from matte.cli.grouped import option
from matte.cli.options import FILE, print_line
from matte.cli.progress import progress_bar
from matte.errors import SettingError
from matte.text_tables import terminal_columns

if TYPE_CHECKING:
    from matte.evaluation.scores import Scores

F = TypeVar("F", bound=Callable[..., Any])


def report_options(command: F) -> F:
    """Add --data, --peer, --reference and the reports to a command that returns scores.

    The command gets the folder as `data`, the peers' files as `peers`, and a `watch`. One that has
    an option `plot` gets its chart drawn.
    """

    @wraps(command)
    def with_reports(
        data: Path,
        reference: str | None,
        json_file: Path | None,
        sheet: Path | None,
        overwrite: bool,
        plot: Path | None = None,
        **arguments: Any,
    ) -> None:
        from matte.files import check_outputs, report_bytes, write_files
        from matte.media.encoding import WRITABLE, encode

        outputs = [(json_file, (".json",)), (sheet, WRITABLE), (plot, WRITABLE)]
        written = [(path, endings) for path, endings in outputs if path is not None]
        if plot is not None and arguments.get("runs") == 0:
            raise SettingError("--plot needs times", "leave --runs 0 out")
        check_outputs(written, [*arguments["peers"], *data.glob("*/*")], overwrite)
        with progress_bar("pictures") as watch:
            scores: Scores = command(data=data, watch=watch, **arguments)
        if reference is not None:
            scores = scores.with_reference(reference)
        where = data.resolve().name
        files = []
        if json_file is not None:
            files.append((json_file, report_bytes(scores.as_json(), indent=1, allow_nan=False)))
        if sheet is not None:
            from matte.evaluation.sheet import draw_sheet

            count = f"{len(scores.worst)} worst of {len(scores.pictures)}"
            title = f"{scores.evaluated} on {where}: the {count}"
            files.append((sheet, encode(draw_sheet(scores.worst, title), sheet.suffix)))
        if plot is not None:
            from matte.evaluation.quality_plot import draw_quality_plot

            files.append((plot, encode(draw_quality_plot(scores, where), plot.suffix)))
        write_files(files, overwrite)
        _print_scores(scores)

    decorated: Any = with_reports
    for add in reversed(_report_options()):
        decorated = add(decorated)
    result: F = decorated
    return result


def _report_options() -> list[Callable[[Any], Any]]:
    """Return the options that every measurement has."""
    return [
        option(
            "--data",
            required=True,
            type=FILE,
            group="Stages in and out",
            common=True,
            help="The folder with the pictures and their truth.",
        ),
        option(
            "--peer",
            "peers",
            type=FILE,
            multiple=True,
            group="Running",
            common=True,
            help="A TOML about another network to compare with; can be repeated.",
        ),
        option(
            "--reference",
            metavar="NAME",
            group="Result",
            common=True,
            help="The contestant that others are compared with.  [default: the second one]",
        ),
        option(
            "--json",
            "json_file",
            type=FILE,
            group="Result",
            common=True,
            help="Save all numbers, each picture's too.",
        ),
        option(
            "--sheet",
            type=FILE,
            group="Result",
            common=True,
            help="Save the worst results beside the truth, as a picture.",
        ),
        option(
            "--overwrite",
            is_flag=True,
            group="Result",
            common=True,
            help="Replace files that exist.",
        ),
    ]


def _print_scores(scores: "Scores") -> None:
    """Print the pairs that were skipped, and the table."""
    from matte.evaluation.table import format_scores

    for name, reason in scores.skipped.items():
        print_line(f"Skipped {name}: {reason}", err=True)
    click.echo(format_scores(scores, terminal_columns()))
    if scores.skipped:
        pairs = len(scores.skipped) + len(scores.pictures)
        click.echo(f"Skipped {len(scores.skipped)} of {pairs} pairs", err=True)
