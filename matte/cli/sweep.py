"""`matte sweep-trimap`: one picture, many bands, and which of them suits it best."""

import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import matte
from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import (
    FILE,
    GROUND,
    output_options,
    pack_options,
    print_line,
    print_path,
    verbose_option,
)
from matte.cli.progress import progress_bar
from matte.cli.settings import COMPOSITING, RUNNING, SEGMENTING, setting_options
from matte.configs.lengths import Length, parse_length
from matte.configs.loader import MergedSettings, written_values
from matte.configs.settings import TrimapSettings
from matte.configs.stage_settings import BAND_WORDS
from matte.errors import MatteError, MatteWarning, SettingError, printable
from matte.text_tables import draw_table, terminal_columns

if TYPE_CHECKING:
    from matte.pipeline.line import NetworkFactsByKind
    from matte.sweeps.files import SweepOutcome
    from matte.sweeps.scores import Kernel

T = TypeVar("T")
SAMPLE = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"
SHEET = Path("trimap-sweep.png")
# Of 30 portraits no background and no subject has it: remains of the old background stand out.
MAGENTA = "magenta"
UNUSED = ("screen", "modnet")  # settings of runs that find alpha in another way
COLUMNS = ("setting", "unknown", "error", "instability", "ms", "")


@click.command(cls=GroupedCommand, ends_at_once=True, name="sweep-trimap")
@click.argument("images", nargs=-1, type=FILE, metavar="[IMAGE…]")
@option(
    "--k",
    "kernels",
    multiple=True,
    metavar="K,…",
    group="Subject and band",
    common=True,
    help="Kernels to try, and auto: 3,7,auto.  [default: auto,3,7,13]",
)
@option(
    "--iterations",
    multiple=True,
    metavar="N,…",
    group="Subject and band",
    common=True,
    help="Numbers of iterations to try with each kernel: 4,6.  [default: the settings']",
)
@option(
    "--width",
    "widths",
    multiple=True,
    metavar="WIDTH,…",
    group="Subject and band",
    common=True,
    help="Widths to try, with or without kernels: 12 (pixels), 1.5% (of the long side).",
)
@option(
    "--bg",
    metavar=GROUND,
    default=MAGENTA,
    show_default=True,
    group="Result",
    common=True,
    help="What the subject is put on. Few pictures hold magenta: halos stand out on it.",
)
@output_options(f"{SHEET} in the current folder")
@option(
    "--save-all",
    is_flag=True,
    group="Stages in and out",
    common=True,
    help="Save masks, trimaps, alphas and composites, too, in a folder named like the sheet.",
)
@option(
    "--json",
    "as_json",
    is_flag=True,
    group="Result",
    common=True,
    help="Print JSON instead of the table.",
)
@setting_options(
    "shape",
    *(name for name in SEGMENTING if name not in UNUSED),
    "refiner",
    "tile",
    "mirrored",
    *COMPOSITING,
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@verbose_option
@pack_options("bands", "kernels", "iterations", "widths")
def sweep_trimap(
    images: tuple[Path, ...],
    bands: dict[str, tuple[str, ...]],
    bg: str,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    save_all: bool,
    as_json: bool,
    settings: MergedSettings,
    verbose: bool,
) -> None:
    """Compare trimap widths on your pictures, and mark the one that suits them best.

    Each IMAGE is refined with every width of the unknown band: each kernel with each number of
    iterations, auto, each width. Writes one sheet with a row for each setting, and prints a table.
    Without IMAGE the shipped portrait is used.

    Error: an estimate of how wrong alpha is, as a multiple of the least, which is the best: by what
    the picture's colours don't explain of alpha, and where it contradicts the segmenter.
    Instability: how much alpha changes to the next narrower and the next wider band.

    \b
    Example: matte sweep-trimap portrait.jpg --k 3,7,13 --iterations 4,6 -o sheet.png
    """
    from matte.compositing.backgrounds import parse_background
    from matte.photos.finishing import FinishOptions, PhotoFinisher
    from matte.pipeline.build import max_pixels
    from matte.sweeps.files import SweepSheet

    _warn_of_unused(settings)
    config = settings.config
    tried = _parse_bands(bands, config.trimap)
    target = output or SHEET
    target = target / SHEET if os.path.isdir(target) else target
    finish = FinishOptions(parse_background(bg), config.compositing)
    files = images or (SAMPLE,)
    folder = target.with_suffix("") if save_all else None
    composer_for = PhotoFinisher(finish, max_pixels(config)).composer_for
    sheet = SweepSheet(
        files, tried, config, composer_for, target, folder, overwrite, backgrounds=finish.files()
    )
    swept = []
    with progress_bar("settings", quiet) as watch:
        for each in sheet.run(watch):
            swept.append(each)
            _print_outcome(each, len(files))
            if verbose and each.error is None:
                click.echo(_summary(each, sheet.network_facts, settings), err=True)
    written = sheet.write()
    sound = [each for each in swept if each.error is None]
    if as_json:
        _print_json(swept, written)
    elif sound:
        _print_tables(sound)
        paths = [path for each in sound for path in each.written]
        for path in [] if quiet else [*paths, *([written] if written else [])]:
            print_path(path)
    if len(sound) < len(swept):
        raise MatteError(f"{len(swept) - len(sound)} of {len(swept)} pictures failed", "see above")


def _warn_of_unused(settings: MergedSettings) -> None:
    """Say which settings of a file a sweep leaves out: it compares bands, by the networks alone."""
    written = written_values(settings.config)
    for name in UNUSED:
        if written[name] != "none":
            told = f"{settings.origins[name]}: {name} = {written[name]} is left out in a sweep"
            warnings.warn(told, MatteWarning, stacklevel=2)


def _parse_bands(
    bands: Mapping[str, tuple[str, ...]], base: TrimapSettings
) -> tuple[TrimapSettings, ...]:
    """Parse the options of unknown bands into the settings to compare; the rest is `base`'s."""
    from matte.sweeps.run import sweep_settings

    return sweep_settings(
        _parse_list("--k", bands["kernels"], _parse_kernel),
        _parse_list("--iterations", bands["iterations"], _parse_integer),
        _parse_list("--width", bands["widths"], _parse_width),
        base,
    )


def _print_outcome(swept: "SweepOutcome", count: int) -> None:
    """Print what is wrong with one of several pictures; raise it if there is only one."""
    if swept.error is not None and count > 1:
        click.echo(f"Error: {swept.error}", err=True)
    elif swept.error is not None:
        raise swept.error
    elif not swept.subject:
        text = f"Warning: no subject found in {swept.file}: alpha is 0"
        print_line(text, err=True)


def _print_json(swept: "Sequence[SweepOutcome]", sheet: Path | None) -> None:
    """Print everything that was measured, and the sheet's name."""
    from matte.files import report_bytes
    from matte.sweeps.files import choice_for_all

    report: dict[str, Any] = {"sheet": str(sheet) if sheet else None}
    report |= {"pictures": [each.as_json() for each in swept], **choice_for_all(swept)}
    click.echo(report_bytes(report, allow_nan=False), nl=False)


def _print_tables(swept: "Sequence[SweepOutcome]") -> None:
    """Print a table for each picture, and the best setting for all of them."""
    from matte.sweeps.files import choice_for_all

    click.echo("\n\n".join(_table(each) for each in swept))
    if len(swept) > 1:
        best = choice_for_all(swept)
        click.echo(f"\nall pictures, best: {best['best'] or 'none'}: {best['reason']}")


def _parse_list(option: str, texts: tuple[str, ...], read: Callable[[str], T]) -> list[T]:
    """Return the values of a list with commas, or of several lists."""
    words = [word.strip() for text in texts for word in text.split(",")]
    try:
        return [read(word) for word in words]
    except ValueError as error:
        wrong = f"{option} {','.join(texts)!r}"
        raise SettingError(wrong, f"give {error}, with commas between them") from error


def _parse_integer(word: str) -> int:
    """Return a whole number from its text."""
    if not re.fullmatch(r"[+-]?\d+", word, re.ASCII):
        raise ValueError("whole numbers such as 4,6")
    return int(word)


def _parse_kernel(word: str) -> "Kernel":
    """Return a kernel\'s side from its text, or one of the words."""
    for known in BAND_WORDS:
        if word == known:
            return known
    if not re.fullmatch(r"[+-]?\d+", word, re.ASCII):
        raise ValueError("whole numbers, auto or learned, such as 3,7,auto")
    return int(word)


def _parse_width(word: str) -> Length:
    """Return a width of the band from its text."""
    if not word:
        raise ValueError("pixels or shares such as 12,1.5%")
    return parse_length(word)


def _table(outcome: "SweepOutcome") -> str:
    """Return a picture's settings with their numbers, and which is the best."""
    assert outcome.choice is not None
    best = outcome.choice.best
    rows: list[Sequence[str]] = [
        (
            score.name,
            f"{score.unknown:.1%}",
            "-" if score.error is None else f"{score.error:.2f}",
            "-" if score.instability is None else f"{score.instability:.3f}",
            f"{score.ms:.0f}",
            "; ".join(filter(None, ["best" if place == best else "", score.remark])),
        )
        for place, score in enumerate(outcome.scores)
    ]
    title = f"{printable(outcome.file)}, {outcome.size[0]}×{outcome.size[1]}"
    chosen = "none" if best is None else outcome.scores[best].name
    drawn = draw_table(COLUMNS, rows, terminal_columns(), remarks=True)
    return "\n".join([title, drawn, f"best: {chosen}: {outcome.choice.reason}"])


def _summary(
    outcome: "SweepOutcome", networks: "NetworkFactsByKind", settings: MergedSettings
) -> str:
    """Return a line on what ran on a picture, and how long it took."""
    ran = [f"{printable(row.name)} on {row.execution['backend']}" for row in networks.values()]
    if "refiner" not in networks:
        ran.append(settings.config.refiner.refiner)
    refined = sum(score.ms for score in outcome.scores)
    return (
        f"{printable(outcome.file)}: {outcome.size[0]}×{outcome.size[1]}, preset {settings.preset},"
        f" {', '.join(ran)}; segment {outcome.segment_ms:.0f} ms,"
        f" trimaps and alphas {refined:.0f} ms"
    )
