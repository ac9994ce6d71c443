"""`matte sweep-trimap`: one picture, many bands, and which of them suits it best."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import matte
from matte.cli.options import (
    FILE,
    GROUND,
    RUNNING,
    SEGMENTING,
    output_options,
    setting_options,
    told,
)
from matte.cli.progress import progress_bar
from matte.configs.loader import Settled
from matte.errors import MatteError, SettingError

if TYPE_CHECKING:
    from matte.pipeline.networks import Networks
    from matte.sweeps.files import Swept
    from matte.sweeps.scores import Kernel

T = TypeVar("T")
SAMPLE = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"
SHEET = Path("trimap-sweep.png")
# Of 30 portraits no old ground comes near it, nor do subjects: what is left of the ground is seen.
MAGENTA = "magenta"


@click.command(name="sweep-trimap")
@click.argument("images", nargs=-1, type=FILE, metavar="[IMAGE…]")
@click.option(
    "--k",
    "kernels",
    multiple=True,
    metavar="K,…",
    help="Kernels to try, and auto: 3,7,auto.  [default: auto,3,7,13]",
)
@click.option(
    "--iterations",
    multiple=True,
    metavar="N,…",
    help="Numbers of iterations to try with each kernel: 4,6.  [default: the settings']",
)
@click.option(
    "--width",
    "widths",
    multiple=True,
    metavar="WIDTH,…",
    help="Widths to try instead of kernels, or besides: 12 (pixels), 1.5% (of the long side).",
)
@click.option(
    "--bg",
    metavar=GROUND,
    default=MAGENTA,
    show_default=True,
    help="What the subject is put on. Magenta is far from what pictures hold: halos are seen.",
)
@output_options(f"{SHEET} in the current folder")
@click.option(
    "--save-all",
    is_flag=True,
    help="Save masks, trimaps, alphas, composites too, full size, in a folder named as the sheet.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@setting_options(
    "shape",
    *SEGMENTING,
    "refiner",
    "tile",
    "fit",
    "blend",
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@click.option("-v", "--verbose", is_flag=True, help="Tell what ran and how long it took.")
def sweep_trimap(
    images: tuple[Path, ...],
    kernels: tuple[str, ...],
    iterations: tuple[str, ...],
    widths: tuple[str, ...],
    bg: str,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    save_all: bool,
    as_json: bool,
    settled: Settled,
    verbose: bool,
) -> None:
    """Try several unknown bands on pictures, and see which one suits them.

    Each IMAGE is segmented once and refined with every band: each kernel with each number of
    iterations, auto, each width. Writes one sheet with a row for each setting, several IMAGEs
    below each other, and prints a table; without IMAGE the shipped portrait is taken.

    Agreement tells how well alpha's edges lie on the picture's, 1 at best, 0 by chance: the setting
    where it is highest is the best, even kernels excepted, whose bands are lopsided. Instability
    is how much alpha changes to the next narrower and the next wider band.

    \b
    Example: matte sweep-trimap portrait.jpg --k 3,7,13 --iterations 4,6 -o sheet.png
    """
    from matte.compositing.backgrounds import parse_background
    from matte.photos.finishing import Finish, Finisher
    from matte.pipeline.limits import most_pixels
    from matte.sweeps.files import SweepSheet, over_all
    from matte.sweeps.run import every_band

    config = settled.config
    bands = every_band(
        _values("--k", kernels, _kernel),
        _values("--iterations", iterations, _whole),
        _values("--width", widths, _length),
        config.trimap,
    )
    target = output or SHEET
    if os.path.isdir(target):
        target /= SHEET
    finish = Finish(parse_background(bg), config.compositing)
    files = images or (SAMPLE,)
    folder = target.with_suffix("") if save_all else None
    composer_for = Finisher(finish, most_pixels(config)).composer_for
    sheet = SweepSheet(
        files, bands, config, composer_for, target, folder, overwrite, backgrounds=finish.files()
    )
    swept = []
    with progress_bar("settings", quiet) as watch:
        for each in sheet.run(watch):
            swept.append(each)
            if each.error is not None and len(files) > 1:
                click.echo(f"Error: {each.error}", err=True)
            elif each.error is not None:
                raise each.error
            elif not each.subject:
                click.echo(f"Warning: no subject found in {each.file}: alpha is 0", err=True)
            if verbose and each.error is None:
                click.echo(_summary(each, sheet.networks, settled), err=True)
    written = sheet.write()
    sound = [each for each in swept if each.error is None]
    if as_json:
        report: dict[str, Any] = {"sheet": str(written) if written else None}
        report |= {"pictures": [each.as_json() for each in swept], **over_all(swept)}
        text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
        # Bytes of a name that are no text become JSON's own escapes.
        click.echo(text.encode(errors="backslashreplace"))
    elif sound:
        click.echo("\n\n".join(_table(each) for each in sound))
        if len(sound) > 1:
            best = over_all(sound)
            click.echo(f"\nall pictures, best: {best['best'] or 'none'}: {best['reason']}")
        if not quiet:
            for path in (path for each in sound for path in each.written):
                told(path)
            if written is not None:
                told(written)
    if len(sound) < len(swept):
        raise MatteError(f"{len(swept) - len(sound)} of {len(swept)} pictures failed", "see above")


def _values(option: str, texts: tuple[str, ...], read: Callable[[str], T]) -> list[T]:
    """The values of a list with commas, or of several lists."""
    words = [word.strip() for text in texts for word in text.split(",")]
    try:
        return [read(word) for word in words]
    except ValueError as error:
        wrong = f"{option} {','.join(texts)!r}"
        raise SettingError(wrong, f"give {error}, with commas between them") from error


def _whole(word: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", word, re.ASCII):
        raise ValueError("whole numbers such as 4,6")
    return int(word)


def _kernel(word: str) -> "Kernel":
    if word == "auto":
        return "auto"
    if not re.fullmatch(r"[+-]?\d+", word, re.ASCII):
        raise ValueError("whole numbers or auto, such as 3,7,auto")
    return int(word)


def _length(word: str) -> str:
    if not word:
        raise ValueError("pixels or shares such as 12,1.5%")
    return word


def _table(swept: "Swept") -> str:
    """The settings of one picture with their numbers, aligned; and the best."""
    rows = [("setting", "unknown", "agreement", "instability", "ms", "")]
    best = None if swept.choice is None else swept.choice.best
    for place, score in enumerate(swept.scores):
        rows.append(
            (
                score.name,
                f"{score.unknown:.1%}",
                "-" if score.agreement is None else f"{score.agreement:.3f}",
                "-" if score.instability is None else f"{score.instability:.3f}",
                f"{score.ms:.0f}",
                "best" if place == best else score.remark,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [f"{click.format_filename(swept.file)}, {swept.size[0]}×{swept.size[1]}"]
    for name, *numbers, remark in rows:
        cells = [f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([f"{name:<{widths[0]}}", *cells, remark]).rstrip())
    assert swept.choice is not None
    chosen = "none" if best is None else swept.scores[best].name
    return "\n".join([*lines, f"best: {chosen}: {swept.choice.reason}"])


def _summary(swept: "Swept", networks: "Networks", settled: Settled) -> str:
    ran = [f"{row['name']} on {row['backend']}" for row in networks.values()]
    if "refiner" not in networks:
        ran.append(settled.config.refiner.refiner)
    refined = sum(score.ms for score in swept.scores)
    return (
        f"{swept.file}: {swept.size[0]}×{swept.size[1]}, preset {settled.preset},"
        f" {', '.join(ran)}; segment {swept.segment_ms:.0f} ms, trimaps and alphas {refined:.0f} ms"
    )
