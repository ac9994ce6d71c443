"""`matte video`: a clip in, cut-outs or composites out, every frame in its time."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import (
    FILE,
    PASSES,
    VIDEO_GROUND,
    output_options,
    pack_options,
    pass_options,
    premultiply_option,
    print_line,
    print_path,
    review_option,
    start_opening,
    subject_option,
    trimap_free_option,
    verbose_option,
)
from matte.cli.outcomes import network_lines
from matte.cli.progress import progress_bar
from matte.cli.settings import BAND, COMPOSITING, RUNNING, SEGMENTING, VIDEO, setting_options
from matte.configs.loader import MergedSettings, with_modnet, with_video_networks
from matte.errors import SettingError, printable
from matte.interrupts import deferred_interrupts

if TYPE_CHECKING:
    from matte.clips.render import RenderJob, RenderResult
    from matte.pipeline.run import BuiltPipeline

CODECS = ("h264", "h265", "h264-nvenc", "h265-nvenc", "av1", "vp9", "prores", "ffv1")
OUTPUTS = ("output", "alpha", "foreground", "report", "review")
ENCODING = ("codec", "crf", "bitrate")
MAX_FAULT_LINES = 20  # broken places of a clip that are printed one by one


@click.command(cls=GroupedCommand, ends_at_once=True, no_args_is_help=True)
@click.argument("clip", type=FILE, metavar="VIDEO")
@option(
    "--bg",
    metavar=VIDEO_GROUND,
    default="transparent",
    group="Result",
    common=True,
    help="The new background: a picture, a video that plays along, a colour (white, '#205080'), or"
    " the video's own, out of focus (blur, blur:3%).  [default: transparent, a cut-out]",
)
@option(
    "--bg-end",
    type=click.Choice(("loop", "hold")),
    default="loop",
    show_default=True,
    group="Result",
    help="When a background video is over: begin again, or hold its last frame.",
)
@output_options(
    "NAME-matte.mp4 beside the video; NAME-matte.mov without --bg",
    "Video to write: .mp4 .mov .mkv .webm; or a folder, name%05d.png or name%05d.exr for pictures,"
    " .gif or .webp for animations.",
)
@option(
    "--start",
    metavar="TIME",
    default="0",
    group="Result",
    common=True,
    help="Begin there: 12.5 (seconds) or 1:02.5 (minutes).",
)
@option("--end", metavar="TIME", group="Result", common=True, help="End there.")
@premultiply_option
@option(
    "--codec",
    type=click.Choice(CODECS),
    group="Result",
    common=True,
    help="How the video is encoded.  [default: by the ending: h264, .webm vp9; with transparency"
    " .mov prores, .webm vp9, .mkv ffv1]",
)
@option(
    "--crf",
    type=int,
    group="Result",
    help="Quality of the encoding, less is better.  [default: the codec's]",
)
@option(
    "--bitrate",
    metavar="BITS",
    group="Result",
    help="Bits per second, instead of a quality: 8M.",
)
@option(
    "--hdr",
    type=click.Choice(("keep", "sdr")),
    default="keep",
    show_default=True,
    group="Result",
    help="HDR videos (PQ, HLG): keep their light, or tone-map them to SDR.",
)
@option(
    "--alpha",
    type=FILE,
    group="Stages in and out",
    common=True,
    help="Write alpha, too, as a grey video or pictures.",
)
@option(
    "--foreground",
    type=FILE,
    group="Stages in and out",
    help="Write the subject's own colours, too, without the old background's.",
)
@option(
    "--report",
    type=FILE,
    group="Stages in and out",
    help="Save what was done, by which networks and settings, as JSON; - prints it.",
)
@setting_options(
    *VIDEO,
    *BAND,
    *(name for name in SEGMENTING if name != "subject"),
    "refiner",
    "tile",
    "mirrored",
    "modnet",
    "fallback",
    *COMPOSITING,
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@trimap_free_option
@option(
    "--fps-target",
    type=click.FloatRange(0, min_open=True),
    metavar="RATE",
    group="Running",
    help="Keep up with this many frames per second: the settings are tried on a few frames, then"
    " the fast preset, MODNet and the mask alone; the first that is fast enough is used.",
)
@verbose_option
@option("--stats", is_flag=True, group="Running", help="Print how long each step took.")
@subject_option
@review_option
@pass_options
@pack_options("ground", "bg", "bg_end", "premultiply")
@pack_options("source", "start", "end", "hdr", "subjects", *PASSES)
@pack_options("outputs", *OUTPUTS, *ENCODING, "overwrite")
def video(
    clip: Path,
    ground: dict[str, Any],
    source: dict[str, Any],
    outputs: dict[str, Any],
    quiet: bool,
    fps_target: float | None,
    stats: bool,
    settings: MergedSettings,
    trimap_free: bool,
    verbose: bool,
) -> None:
    """Cut the subject out of a video, or put it on another background.

    Every frame keeps its time; sound, subtitles, chapters and metadata are copied. If it is
    interrupted, the part that was done is kept under a name with .partial in it. Prints the files
    that were written.

    Example: matte video talk.mp4 --bg office.jpg -o talk-office.mp4
    """
    if trimap_free:
        settings = with_modnet(settings)
    settings = with_video_networks(settings)

    import av  # noqa: F401  # not while another thread loads a runtime: both are native code

    opener = None if fps_target else start_opening(settings.config)

    from matte.clips.report import video_report
    from matte.files import STREAM
    from matte.media.streams import write_stdout
    from matte.pipeline.build import build

    prints_report = outputs["report"] == STREAM
    outputs["report"] = None if prints_report else outputs["report"]
    job = _plan_job(clip, ground, source, outputs, settings)
    job.files.check(job.sources)
    if fps_target:
        pipeline = _choose_pipeline(job, settings, fps_target)
    else:
        pipeline = build(settings, opener)
    with deferred_interrupts() as check, progress_bar("matte", quiet, frames=True) as watch:

        def on_frame(done: int) -> None:
            watch(done, max(done, job.frames))
            check()

        def describe(result: "RenderResult") -> bytes:
            return video_report(pipeline.facts, job.background, result.as_json(), sys.argv[1:])

        rendered = job.render(pipeline, on_frame, describe)
    _print_warnings(rendered)
    if verbose:
        click.echo(_summary(job, pipeline), err=True)
    if stats or verbose:
        click.echo(_step_times(rendered), err=True)
    for path in rendered.written if not quiet else ():
        print_path(path, err=prints_report)
    if prints_report:
        write_stdout(describe(rendered))


def _plan_job(
    clip: Path,
    ground: Mapping[str, Any],
    source: Mapping[str, Any],
    outputs: Mapping[str, Any],
    settings: MergedSettings,
) -> "RenderJob":
    """Return the clip with what is to be made of it; raise if anything of that can't be."""
    from matte.clips.output_files import files_from_options
    from matte.clips.outputs import clip_for_files
    from matte.clips.passes import PassSettings
    from matte.clips.render import RenderJob
    from matte.clips.run import choices_for
    from matte.compositing.backgrounds import Transparent, parse_background
    from matte.media.video.clip import open_clip
    from matte.pipeline.build import max_pixels

    background, limit = parse_background(ground["bg"], films=True), max_pixels(settings.config)
    first, last = _parse_range(source["start"], source["end"])
    found = open_clip(clip, limit)
    files = files_from_options(clip, isinstance(background, Transparent), outputs)
    opened = clip_for_files(found, files, source["hdr"])
    choices = choices_for(opened, source["subjects"], limit)
    after, premultiply = ground["bg_end"], ground["premultiply"]
    passes = PassSettings(*(source[name] for name in PASSES))
    return RenderJob(opened, files, background, after, premultiply, first, last, choices, passes)


def _parse_range(start: str, end: str | None) -> tuple[float, float | None]:
    """Return the seconds at which the result begins and ends; None: when the clip does."""
    from matte.configs.times import parse_time

    first, last = parse_time(start), None if end is None else parse_time(end)
    if last is not None and last <= first:
        raise SettingError(f"--end {end} is not after --start {start}", "give a later one")
    return first, last


def _choose_pipeline(job: "RenderJob", settings: MergedSettings, rate: float) -> "BuiltPipeline":
    """Return the best pipeline that keeps up with `rate` frames per second, and print which."""
    from matte.pipeline.build import build_for_video

    with deferred_interrupts() as check:
        choice, pipeline = job.choose(settings, rate, build_for_video, check)
    click.echo(f"--fps-target: {choice}", err=True)
    return pipeline


def _print_warnings(rendered: "RenderResult") -> None:
    """Print what is broken in the clip, and why frames were matted by MODNet instead."""
    from matte.media.video.decoding import ENDS_EARLY

    for fault in rendered.faults[:MAX_FAULT_LINES]:
        print_line(f"Warning: broken at {fault}", err=True)
    count = sum(fault.what != ENDS_EARLY for fault in rendered.faults)
    if count:
        told = f"Warning: {count} broken frames: the alpha of the frame before is used"
        click.echo(told, err=True)
    for warning in rendered.following.warnings[:MAX_FAULT_LINES] if rendered.following else ():
        print_line(f"Warning: {warning}", err=True)
    for reason, count in rendered.doubts.items():
        share = f"{count} of {rendered.frames} frames"
        print_line(f"Warning: {share}: {reason}: matted by MODNet instead", err=True)


def _summary(job: "RenderJob", pipeline: "BuiltPipeline") -> str:
    """Return a line on the clip and how it was refined, and one on each network."""
    clip, config = job.clip.facts, pipeline.config
    refiner = config.modnet.modnet or config.refiner.refiner
    size = f"{clip.width}×{clip.height}, {float(clip.rate):.4g} fps"
    line = f"{size}, preset {pipeline.merged.preset}, refined by {printable(refiner)}"
    return "\n".join([line, *network_lines(pipeline.facts["networks"])])


def _step_times(rendered: "RenderResult") -> str:
    """Return a line on the clip's time, and one on each step's."""
    frames, seconds = rendered.frames, rendered.seconds
    lines = [
        f"{frames} frames in {seconds:.1f} s: {rendered.rate:.1f} a second; the steps overlap:"
    ]
    for name, ms in rendered.ms.items():
        lines.append(f"  {name:<10} {ms / frames:8.1f} ms a frame  {ms / seconds / 1000:4.0%} busy")
    return "\n".join(lines)
