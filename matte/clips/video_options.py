"""What `matte.video` takes besides a video and its result, and the work that it makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast, get_type_hints

from matte.compositing.backgrounds import Transparent, background_text, parse_background
from matte.configs.settings import SETTINGS
from matte.configs.tables import convert
from matte.errors import SettingError
from matte.registry import nearest

if TYPE_CHECKING:
    from matte.clips.render import RenderJob

OWN_ARGUMENTS = ("output", "background", "pipeline", "overwrite", "progress")  # of `matte.video`
OTHER_NAMES = {"bg": "background", "out": "output"}  # what the command line calls them


class VideoOptions(TypedDict, total=False):
    """What `matte.video` takes besides, all of it optional, as `matte video` has it.

    `alpha` and `foreground` are further files to write. `codec`, `crf` and `bitrate` ("6M") encode
    the composite; `premultiply` multiplies a cut-out's colours with alpha. `background_end` is what
    comes when a video behind ends first: "loop" or "hold". `start` and `end` are seconds after the
    first frame. `fps_target`: the frames a second to keep up with, by quicker settings if need be.
    `hdr`: an HDR video keeps its light ("keep"), or is tone-mapped ("sdr").
    `subject` says whom to follow, one choice or several: "at:30%,50%@2.5"; `review` is a sheet of
    the moments in which that was doubtful. `despill` takes a screen's light from the subject (the
    pipeline's `screen` mends alpha by its colour besides); the mask or polygons (.json) of a
    `garbage_matte` say where the subject may be.
    """

    alpha: str | Path
    foreground: str | Path
    codec: str
    crf: int
    bitrate: str
    premultiply: bool
    background_end: Literal["loop", "hold"]
    start: float
    end: float
    fps_target: float
    hdr: Literal["keep", "sdr"]
    subject: str | Sequence[str]
    review: str | Path
    despill: Literal["green", "blue"]
    garbage_matte: str | Path


def given_options(options: VideoOptions) -> VideoOptions:
    """Return the options that are not None; raise SettingError for unknown ones and wrong values.

    What `subject` says is checked with the clip.
    """
    hints = get_type_hints(VideoOptions)
    checked: dict[str, Any] = {}
    for name, value in options.items():
        if name not in hints:
            raise SettingError(f"no option {name!r}", _remedy_for(name))
        if value is not None:
            checked[name] = value if name == "subject" else convert(value, hints[name], name)
    if not checked.get("fps_target", 1) > 0:  # NaN, too
        raise SettingError(f"fps_target = {checked['fps_target']}", "give a number above 0")
    return cast(VideoOptions, checked)


def _remedy_for(name: str) -> str:
    """Return what to write instead of an option that `matte.video` does not have."""
    if name in SETTINGS or name == "preset":
        return f"give it to the pipeline: matte.video(…, pipeline=matte.load({name}=…))"
    return nearest(OTHER_NAMES.get(name, name), (*VideoOptions.__annotations__, *OWN_ARGUMENTS))


def plan_video(
    path: Path,
    limit: int,
    output: str | Path | None,
    background: str | Path,
    overwrite: bool,
    options: VideoOptions,
) -> "RenderJob":
    """Return the clip, whose frames have `limit` pixels at most, with what is to be made of it.

    The options are those of `given_options`.
    """
    from matte.clips.output_files import files_from_options  # PyAV is for video only
    from matte.clips.outputs import clip_for_files
    from matte.clips.passes import PassSettings
    from matte.clips.render import RenderJob
    from matte.clips.run import choices_for
    from matte.media.video.clip import open_clip

    behind = parse_background(background_text(background), films=True)
    named = {**options, "output": output, "overwrite": overwrite}
    files = files_from_options(path, isinstance(behind, Transparent), named)
    clip = clip_for_files(open_clip(path, limit), files, options.get("hdr", "keep"))
    return RenderJob(
        clip,
        files,
        behind,
        options.get("background_end", "loop"),
        options.get("premultiply", False),
        options.get("start", 0),
        options.get("end"),
        choices_for(clip, options.get("subject", ()), limit),
        PassSettings(
            options.get("despill"),
            Path(options["garbage_matte"]) if "garbage_matte" in options else None,
        ),
    )
