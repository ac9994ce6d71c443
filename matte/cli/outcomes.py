"""What `matte image` prints of each picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.options import print_path
from matte.errors import printable

if TYPE_CHECKING:
    from matte.photos.batch import PhotoOutcome


@dataclass(frozen=True, slots=True)
class ShownOutcomes:
    """What is printed of each picture, and the report that is written at the end."""

    quiet: bool
    verbose: bool
    report: Path | None
    overwrite: bool


def print_outcome(outcome: "PhotoOutcome", is_one: bool, shown: ShownOutcomes) -> None:
    """Print what became of a picture: its error or summary, and the files that were written.

    Names go to standard error where a picture or the report goes to standard output. The error of a
    run's only picture is raised later, and not printed here.
    """
    from matte.files import STREAM
    from matte.pipeline.seen import bystander_hint

    if outcome.error is not None and not is_one:
        click.echo(f"Error: {outcome.error}", err=True)
    if outcome.error is None and shown.verbose:
        click.echo(_summary(outcome.report), err=True)
    if is_one and not shown.quiet and (hint := bystander_hint(outcome.report)):
        click.echo(f"Note: {hint}", err=True)
    for path in outcome.written if not shown.quiet else ():
        print_path(path, err=STREAM in (outcome.job.target, shown.report))


def _summary(report: dict[str, Any]) -> str:
    """Return a line on the picture, one on how it was refined, and one on each network."""
    from matte.pipeline.seen import describe_subjects

    times = ", ".join(f"{name} {ms:.0f} ms" for name, ms in report["ms"].items())
    unknown = f"; {report['unknown']:.1%} unknown ({report['band']})" if "band" in report else ""
    size = f"{report['width']}×{report['height']}"
    lines = [f"{size}, preset {report['preset']}{unknown}; {times}"]
    lines.append(f"  {describe_subjects(report['subjects'])}")
    if refined := report.get("refined"):
        tiles = f", {refined['tiles']} of {refined['side']} pixels" if "tiles" in refined else ""
        lines.append(f"  refined: {refined['way']}{tiles}; {_refining_reason(refined)}")
    return "\n".join([*lines, *network_lines(report["networks"])])


def network_lines(networks: Mapping[str, Any]) -> list[str]:
    """Return a line on each network of a report: where it ran, and why there."""
    lines = []
    for row in networks.values():
        where = f"{row['backend']}, {row['device']}, {row['precision']}"
        lines.append(printable(f"  {row['name']} on {where}: {row['why']}"))
    return lines


def _refining_reason(refined: dict[str, Any]) -> str:
    """Return why a picture was refined as it was: whole, or in which parts."""
    costs = ", ".join(f"{way} {mega:g}" for way, mega in refined["megapixels"].items())
    return f"{refined['why']}, in megapixels: {costs}" if costs else str(refined["why"])
