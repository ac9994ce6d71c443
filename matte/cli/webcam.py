"""`matte webcam`: what a camera sees, on a new background, while it sees it."""

import re
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.interrupts import interruptible
from matte.cli.options import (
    BAND,
    FILE,
    FILM_GROUND,
    MOVING,
    RUNNING,
    SEGMENTING,
    setting_options,
    told,
)
from matte.configs.loader import Settled
from matte.errors import PictureError, SettingError

if TYPE_CHECKING:
    from matte.clips.live.matting import Choice, Live
    from matte.clips.statistics import Tally

NAME = Path("webcam.mp4")  # what recordings and pictures are named after
OFFERED = ("blur", "transparent")  # besides the backgrounds that are given


@click.command()
@click.option(
    "--device",
    "camera",
    metavar="NUMBER|NAME|FILE",
    default="0",
    help="The camera; a video file plays one, in its own time.  [default: 0]",
)
@click.option(
    "--bg",
    "grounds",
    multiple=True,
    metavar=FILM_GROUND,
    help="A new background; may be given several times, the key b takes the next.  [default: blur]",
)
@click.option("--size", metavar="WxH", help="Size of the camera's pictures, such as 1280x720.")
@click.option("--fps", type=click.FloatRange(0, 1000, min_open=True), help="Its frames a second.")
@click.option("--loop", is_flag=True, help="A file that plays the camera begins again.")
@click.option("--mirror", is_flag=True, help="Begin as in a mirror.")
@click.option("--record", type=FILE, help="Write what is shown: .mp4, .mov, .mkv or .webm.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
@click.option("--no-window", is_flag=True, help="Show nothing; end it with Ctrl-C.")
@click.option("--frames", type=click.IntRange(1), help="End after so many frames.")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), help="End after so many seconds."
)
@click.option("--stats", is_flag=True, help="Tell in the end how quick it was.")
@click.option("-q", "--quiet", is_flag=True, help="Don't print the names of the files.")
@setting_options(
    *BAND,
    *(name for name in SEGMENTING if name != "size"),
    "refiner",
    "tile",
    "modnet",
    "fallback",
    "budget_ms",
    *MOVING,
    "fit",
    "blend",
    "max_pixels",
    "max_memory",
    *(name for name in RUNNING if name != "device"),
)
def webcam(
    camera: str,
    grounds: tuple[str, ...],
    size: str | None,
    fps: float | None,
    loop: bool,
    mirror: bool,
    record: Path | None,
    overwrite: bool,
    no_window: bool,
    frames: int | None,
    seconds: float | None,
    stats: bool,
    quiet: bool,
    settled: Settled,
) -> None:
    """Show what a camera sees, on a new background.

    In the window, keys change what is seen: b the background, p the preset, m mirrors, r records,
    s saves a picture, h shows them, q ends. Frames that come too late are left out. Prints the
    files that were written.

    Example: matte webcam --bg beach.jpg --bg blur --preset fast
    """
    from matte.clips.live.matting import Live
    from matte.clips.live.recording import Recorder
    from matte.clips.live.window import Show, Until
    from matte.files import check_names
    from matte.media.video.camera import open_camera
    from matte.media.video.codecs import FORMATS
    from matte.media.video.newest import Newest

    asked = None if size is None else _size(size)
    with ExitStack() as opened:
        window = None
        if not no_window:
            from matte.media.window import Window

            window = Window("matte")
            opened.callback(window.close)
        source = open_camera(camera, asked, fps, loop, settled.config.media.max_pixels)
        choices = _choices(grounds, settled, source.facts.sample_aspect, opened)
        recorder = Recorder(source.facts, record or NAME)
        opened.callback(recorder.stop)
        if record is not None:
            check_names([(record, FORMATS)], [Path(text) for text in grounds])
            recorder.start(record, overwrite)
        newest = Newest(source)
        live = opened.enter_context(Live(newest, settled, choices))
        if mirror:
            live.mirror()
        opened.enter_context(newest)
        show = Show(live, recorder, window, (lambda path: None) if quiet else told)
        # Ctrl-C is a way to end it: what was recorded is finished by then.
        with interruptible() as check, suppress(KeyboardInterrupt):
            show.run(Until(frames, seconds), check)
        if not show.tally.shown and live.over:
            raise PictureError(f"{camera} gave no pictures", "name another with --device")
    if stats:
        click.echo(_summary(show.tally, live), err=True)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text, re.ASCII)
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not (width and height):
        raise SettingError(f"{text!r} is not a size", "give width and height, such as 1280x720")
    return width, height


def _choices(
    given: tuple[str, ...], settled: Settled, aspect: Any, opened: ExitStack
) -> "list[Choice]":
    """The backgrounds that are given, then those that are always offered."""
    from matte.clips.backgrounds import open_composer
    from matte.clips.live.matting import Choice
    from matte.compositing.backgrounds import parse_background

    found = {text: parse_background(text) for text in given}
    kinds = {type(background) for background in found.values()}
    offered = {text: parse_background(text) for text in OFFERED}
    found |= {text: other for text, other in offered.items() if type(other) not in kinds}
    settings, most = settled.config.compositing, settled.config.media.max_pixels
    composers = (
        open_composer(background, settings, aspect=aspect, max_pixels=most)
        for background in found.values()
    )
    return [
        Choice(Path(text).name, opened.enter_context(composer))
        for text, composer in zip(found, composers, strict=True)
    ]


def _summary(tally: "Tally", live: "Live") -> str:
    usual, most = (1000 * seconds for seconds in tally.latencies())
    return (
        f"{tally.shown} shown, {live.dropped} dropped; {tally.fps:.1f} frames a second; "
        f"latency {usual:.0f} ms (95 %: {most:.0f} ms)"
    )
