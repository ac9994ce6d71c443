"""`matte video`: a clip in, cut-outs or composites out, every frame in its time."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matte.cli.interrupts import interruptible
from matte.cli.options import (
    BAND,
    FILE,
    FILM_GROUND,
    MOVING,
    RUNNING,
    SEGMENTING,
    output_options,
    setting_options,
    told,
)
from matte.cli.progress import progress_bar
from matte.configs.loader import Settled, for_video, with_modnet
from matte.errors import SettingError

if TYPE_CHECKING:
    from matte.clips.backgrounds import After
    from matte.clips.render import Rendered

CODECS = ("h264", "h265", "av1", "vp9", "prores", "ffv1")
MOST_FAULTS = 20  # are told one by one


@click.command(no_args_is_help=True)
@click.argument("clip", type=FILE, metavar="VIDEO")
@click.option(
    "--bg",
    metavar=FILM_GROUND,
    default="transparent",
    help="The new background; a video is shown in time.  [default: transparent, a cut-out]",
)
@click.option(
    "--bg-end",
    type=click.Choice(("loop", "hold")),
    default="loop",
    show_default=True,
    help="What a background video does when it is over.",
)
@output_options(
    "NAME-matte.mp4 beside the video; NAME-matte.mov without --bg",
    "Video to write, .mp4 .mov .mkv .webm; or a folder or name%05d.png for pictures, .gif, .webp"
    " for animations.",
)
@click.option("--alpha", type=FILE, help="Write alpha, too, as a grey video or pictures.")
@click.option("--foreground", type=FILE, help="Write the subject's estimated colours, too.")
@click.option("--premultiply", is_flag=True, help="A cut-out's colours are multiplied with alpha.")
@click.option("--start", metavar="TIME", default="0", help="From when on: 12.5, or 1:02.5.")
@click.option("--end", metavar="TIME", help="Until when.")
@click.option(
    "--codec",
    type=click.Choice(CODECS),
    help="How videos are written.  [default: by the ending: h264, .webm vp9; with transparency"
    " .mov prores, .webm vp9, .mkv ffv1]",
)
@click.option("--crf", type=int, help="Quality, less is better.  [default: by the codec]")
@click.option("--bitrate", metavar="BITS", help="Bits a second instead of a quality: 8M.")
@click.option(
    "--fps-target",
    type=click.FloatRange(0, min_open=True),
    metavar="RATE",
    help="Frames a second to keep up with: what was asked for is tried on a few frames, then the"
    " fast preset, MODNet and the mask alone; the first that is quick enough is taken, and said.",
)
@click.option("--stats", is_flag=True, help="Tell where the time went.")
@click.option("--report", type=FILE, help="Save what was done, and with what, as JSON.")
@setting_options(
    *MOVING,
    *BAND,
    *SEGMENTING,
    "refiner",
    "tile",
    "modnet",
    "fallback",
    "fit",
    "blend",
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@click.option("--trimap-free", is_flag=True, help="No mask, no trimap: the shipped MODNet.")
def video(
    clip: Path,
    bg: str,
    bg_end: "After",
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    alpha: Path | None,
    foreground: Path | None,
    premultiply: bool,
    start: str,
    end: str | None,
    codec: str | None,
    crf: int | None,
    bitrate: str | None,
    fps_target: float | None,
    stats: bool,
    report: Path | None,
    settled: Settled,
    trimap_free: bool,
) -> None:
    """Cut the subject out of a video.

    With --bg it is put on another background. Every frame keeps its time; sound, subtitles,
    chapters and metadata are copied. If it is interrupted, what was done is kept under a name with
    .partial in it. Prints the files that were written.

    Example: matte video talk.mp4 --bg office.jpg -o talk-office.mp4
    """
    if trimap_free:
        settled = with_modnet(settled)
    settled = for_video(settled)

    import av  # noqa: F401  # not while another thread loads a runtime: both are native code
    import cv2  # noqa: F401  # as above

    from matte.pipeline.networks import Opening

    opening = None if fps_target else Opening(settled.config)  # while the rest is imported

    from matte.clips.outputs import Files, default_output
    from matte.clips.render import Job
    from matte.clips.report import video_report
    from matte.compositing.backgrounds import Transparent, parse_background
    from matte.configs.amounts import parse_bitrate
    from matte.configs.times import parse_time
    from matte.files import check_outputs, write_file
    from matte.media.video.clip import open_clip
    from matte.pipeline.build import build
    from matte.pipeline.limits import most_pixels

    background = parse_background(bg)
    transparent = isinstance(background, Transparent)
    first, last = parse_time(start), None if end is None else parse_time(end)
    if last is not None and last <= first:
        raise SettingError(f"--end {end} is not after --start {start}", "give a later one")
    source = open_clip(clip, most_pixels(settled.config))
    files = Files(
        output or default_output(clip, transparent),
        alpha,
        foreground,
        transparent,
        codec,
        crf,
        None if bitrate is None else parse_bitrate(bitrate),
        overwrite,
    )
    job = Job(source, files, background, bg_end, premultiply, first, last)
    if report is not None:
        check_outputs([(report, (".json",))], [*job.sources, *files.paths()], overwrite)
    if fps_target:
        with interruptible() as check:
            choice, pipeline = job.choose(settled, fps_target, check)
        click.echo(f"--fps-target: {choice}", err=True)
    else:
        pipeline = build(settled, opening)
    with interruptible() as check, progress_bar("matte", quiet) as watch:

        def told_of(done: int) -> None:
            watch(done, max(done, job.frames))
            check()

        rendered = job.render(pipeline, told_of)
    if report is not None:
        written = video_report(pipeline.facts, background, rendered.told(), sys.argv[1:])
        write_file(report, written, overwrite)
    _tell(rendered, stats)
    for path in rendered.written if not quiet else ():
        told(path)


def _tell(rendered: "Rendered", stats: bool) -> None:
    """What is wrong with the clip, what another line had to do, and where the time went."""
    from matte.media.video.decoding import ENDS_EARLY

    for fault in rendered.faults[:MOST_FAULTS]:
        click.echo(f"Warning: broken at {fault}", err=True)
    count = sum(fault.what != ENDS_EARLY for fault in rendered.faults)
    if count:
        click.echo(f"Warning: {count} broken: the alpha before was taken for them", err=True)
    for reason, count in rendered.doubts.items():
        share = f"{count} of {rendered.frames} frames"
        click.echo(f"Warning: {share}: {reason}: their matte is MODNet's", err=True)
    if stats:
        click.echo(_where_time_went(rendered), err=True)


def _where_time_went(rendered: "Rendered") -> str:
    """A line on the whole, and one on each step."""
    frames, seconds = rendered.frames, rendered.seconds
    lines = [
        f"{frames} frames in {seconds:.1f} s: {rendered.rate:.1f} a second; the steps overlap:"
    ]
    for name, ms in rendered.ms.items():
        lines.append(f"  {name:<10} {ms / frames:8.1f} ms a frame  {ms / seconds / 1000:4.0%} busy")
    return "\n".join(lines)
