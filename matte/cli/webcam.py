"""`matte webcam`: a camera's pictures on a new background, live."""

import re
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import FILE, VIDEO_GROUND, pack_options, print_path
from matte.cli.settings import BAND, COMPOSITING, RUNNING, SEGMENTING, VIDEO, setting_options
from matte.configs.loader import MergedSettings
from matte.errors import PictureError, SettingError
from matte.interrupts import deferred_interrupts

if TYPE_CHECKING:
    from matte.clips.live.frames import LiveBackground
    from matte.clips.live.matting import LiveMatting
    from matte.clips.live.statistics import DisplayStatistics
    from matte.media.video.camera_watcher import Camera
    from matte.media.window import PictureWindow

RECORDING = Path("webcam.mp4")  # what recordings and pictures are named after
MORE_GROUNDS = ("blur", "transparent")  # besides the backgrounds that --bg names


@click.command(cls=GroupedCommand)
@option(
    "--device",
    "camera",
    metavar="NUMBER|NAME|FILE",
    default="0",
    group="Result",
    common=True,
    help="The camera; a video file plays instead of one, in its own time.  [default: 0]",
)
@option(
    "--bg",
    "grounds",
    multiple=True,
    metavar=VIDEO_GROUND,
    group="Result",
    common=True,
    help="A new background. May be given several times: the key b shows the next.  [default: blur]",
)
@option(
    "--size",
    metavar="WxH",
    group="Result",
    common=True,
    help="Size of the camera's pictures, such as 1280x720.",
)
@option(
    "--fps",
    type=click.FloatRange(0, 1000, min_open=True),
    group="Result",
    help="Frames per second that the camera is asked for.",
)
@option("--loop", is_flag=True, group="Result", help="Play a file again when it is over.")
@option("--mirror", is_flag=True, group="Result", common=True, help="Begin as in a mirror.")
@option(
    "--record",
    type=FILE,
    group="Result",
    common=True,
    help="Record what is shown: .mp4, .mov, .mkv or .webm; with a file's sound where one plays.",
)
@option(
    "--overwrite",
    is_flag=True,
    group="Result",
    common=True,
    help="Replace the recording if it exists.",
)
@option(
    "--no-window",
    is_flag=True,
    group="Running",
    common=True,
    help="Show nothing, only record; Ctrl-C ends it.",
)
@option("--frames", type=click.IntRange(1), group="Running", help="End after this many frames.")
@option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    group="Running",
    help="End after this many seconds.",
)
@option(
    "--stats", is_flag=True, group="Running", help="Print frames per second and delay at the end."
)
@option(
    "-q",
    "--quiet",
    is_flag=True,
    group="Running",
    help="Don't print the names of the files that were written.",
)
@setting_options(
    *BAND,
    *(name for name in SEGMENTING if name != "size"),
    "refiner",
    "tile",
    "modnet",
    "fallback",
    "budget_ms",
    *VIDEO,
    *COMPOSITING,
    "max_pixels",
    "max_memory",
    *(name for name in RUNNING if name != "device"),
    default_preset="fast",
)
@pack_options("source", "camera", "size", "fps", "loop")
def webcam(
    source: dict[str, Any],
    grounds: tuple[str, ...],
    mirror: bool,
    record: Path | None,
    overwrite: bool,
    no_window: bool,
    frames: int | None,
    seconds: float | None,
    stats: bool,
    quiet: bool,
    settings: MergedSettings,
) -> None:
    """Show a camera's pictures on a new background, live.

    Keys in the window: b the next background, p the next preset, m mirror, a keep everybody, r
    record, s save a picture, h show the keys, q quit. A click follows whoever is there. Frames
    that come too fast are skipped. Prints the files that were written.

    Example: matte webcam --bg beach.jpg --bg blur
    """
    from matte.clips.live.matting import LiveMatting
    from matte.clips.live.recording import Recorder
    from matte.clips.live.show import LiveShow, StopCondition
    from matte.files import check_names
    from matte.media.video.camera import ClipCamera
    from matte.media.video.camera_watcher import CameraWatcher
    from matte.media.video.codecs import FORMATS
    from matte.pipeline.build import build_for_video

    size = None if source["size"] is None else _parse_size(source["size"])
    with ExitStack() as opened:
        window = None if no_window else _open_window(opened)
        camera = _open_camera(source, size, settings.config.media.max_pixels)
        choices = _background_choices(grounds, settings, camera.facts.sample_aspect, opened)
        played = camera if isinstance(camera, ClipCamera) else None
        recorder = Recorder(camera.facts, record or RECORDING, played)
        opened.callback(recorder.stop)
        if record is not None:
            check_names([(record, FORMATS)], [Path(text) for text in grounds])
            recorder.start(record, overwrite)
        newest = CameraWatcher(camera)
        matting = LiveMatting(newest, settings, build_for_video, choices)
        live = opened.enter_context(matting)
        if mirror:
            live.toggle_mirror()
        opened.enter_context(newest)
        show = LiveShow(live, recorder, window, (lambda path: None) if quiet else print_path)
        # Ctrl-C is a way to end it: what was recorded is finished by then.
        with deferred_interrupts() as check, suppress(KeyboardInterrupt):
            show.run(StopCondition(frames, seconds), check)
        if not show.statistics.shown and live.ended:
            raise PictureError(f"{source['camera']} gave no pictures", "name another with --device")
    if stats:
        click.echo(_summary(show.statistics, live), err=True)


def _open_window(opened: ExitStack) -> "PictureWindow":
    """Return a window that is closed with `opened`."""
    from matte.media.window import PictureWindow

    window = PictureWindow("matte")
    opened.callback(window.close)
    return window


def _open_camera(
    source: Mapping[str, Any], size: tuple[int, int] | None, max_pixels: int
) -> "Camera":
    """Return the camera, or the file that plays it, by the options that name it."""
    from matte.media.video.camera import open_camera

    return open_camera(source["camera"], size, source["fps"], source["loop"], max_pixels)


def _parse_size(text: str) -> tuple[int, int]:
    """Return the width and height that a text such as `1280x720` names."""
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text, re.ASCII)
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not (width and height):
        raise SettingError(f"{text!r} is not a size", "give width and height, such as 1280x720")
    return width, height


def _background_choices(
    names: tuple[str, ...], settings: MergedSettings, aspect: Any, opened: ExitStack
) -> "list[LiveBackground]":
    """Return the backgrounds that --bg names, then those that are always offered."""
    from matte.clips.backgrounds import open_composer
    from matte.clips.live.frames import LiveBackground
    from matte.compositing.backgrounds import parse_background

    found = {text: parse_background(text, films=True) for text in names}
    kinds = {type(background) for background in found.values()}
    offered = {text: parse_background(text) for text in MORE_GROUNDS}
    found |= {text: other for text, other in offered.items() if type(other) not in kinds}
    compositing, max_pixels = settings.config.compositing, settings.config.media.max_pixels
    composers = (
        open_composer(background, compositing, aspect=aspect, max_pixels=max_pixels)
        for background in found.values()
    )
    return [
        LiveBackground(Path(text).name, opened.enter_context(composer))
        for text, composer in zip(found, composers, strict=True)
    ]


def _summary(statistics: "DisplayStatistics", live: "LiveMatting") -> str:
    """Return a line on the frames that were shown and dropped, their rate and their delay."""
    usual, most = (1000 * seconds for seconds in statistics.latency_quantiles())
    return (
        f"{statistics.shown} shown, {live.dropped_frames} dropped;"
        f" {statistics.fps:.1f} frames a second; "
        f"latency {usual:.0f} ms (95 %: {most:.0f} ms)"
    )
