"""The calls of a library user: one call for whatever a command does."""

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from matte.arrays import as_alpha, same_size
from matte.clips.video_options import VideoOptions, given_options, plan_video
from matte.compositing.backgrounds import background_text
from matte.compositing.blend import Blend
from matte.compositing.fitting import Fit
from matte.compositing.foreground import estimate_foreground
from matte.configs.lengths import Length
from matte.configs.loader import DEFAULT_PRESET, OLD_PROTOCOL, merge_settings
from matte.configs.python_names import in_python, python_names
from matte.configs.settings import SETTINGS, TrimapSettings
from matte.errors import SettingError
from matte.gpu.build import build_for_photos
from matte.media.photo_inputs import PhotoInput, as_photo
from matte.media.pictures import read_alpha
from matte.media.sources import Source, as_path, is_source, source_name
from matte.photos.photo_matte import (
    BackgroundInput,
    PhotoMatte,
    compose_photo,
    compositing_settings,
)
from matte.pipeline import run
from matte.pipeline.build import build_for_video, max_pixels, pipeline_for_video
from matte.pipeline.line import TwoStage
from matte.registry import nearest
from matte.stages import Progress
from matte.sweeps import run as sweeping
from matte.sweeps.run import Sweep, sweep_settings
from matte.sweeps.scores import Kernel

if TYPE_CHECKING:
    from matte.clips.frames import VideoFrame
    from matte.clips.render import RenderResult

__all__ = ["Pipeline", "composite", "load", "sweep", "video"]

WITH_THE_PICTURE = "give it with the picture: matte.load()('portrait.jpg', {}=…)"
WITH_THE_RESULT = "give it where a result is made: composite(), save() or video()"
BY_NAME = "give the settings of a file by their names: matte.load(k=5)"
# What people give to `load`, and what to do instead.
OF_OTHER_CALLS = {
    "mask": WITH_THE_PICTURE.format("mask"),
    "trimap": WITH_THE_PICTURE.format("trimap"),
    "background": WITH_THE_RESULT,
    "bg": WITH_THE_RESULT,
    "config": BY_NAME,
}


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline(run.BuiltPipeline):
    """Mattes pictures and videos, one after the other, with networks that stay loaded.

    >>> pipeline = matte.load("fast")
    >>> pipeline("portrait.jpg").alpha.dtype
    dtype('float32')
    """

    def __call__(
        self,
        image: PhotoInput,
        *,
        mask: run.MatteInput = None,
        trimap: run.MatteInput = None,
        subject: run.MatteInput = None,
    ) -> PhotoMatte:
        """Return the matte of a picture, with what makes pictures of it.

        `image` is a file: its path, its bytes or the file open as "rb"; or a picture of Pillow's;
        or pixels: RGB (H, W, 3), RGBA or grey, uint8, uint16 or float 0 … 1. `mask`, a file or an
        array (H, W), is where the subject is, and may be soft; `trimap`, a file or an array
        (H, W), is what is known of the picture, and takes the mask's place. `subject`, a file or
        an array, is a rough mask of whom to keep of several subjects; it may be smaller than the
        picture, and goes before the settings.

        >>> result = matte.load("fast")("portrait.jpg")
        >>> result.cutout.shape, result.composite("white").shape
        ((512, 512, 4), (512, 512, 3))
        """
        name = source_name(image) if is_source(image) else ""
        with python_names():
            photo = as_photo(image, self.max_pixels)
            prior = self.prior(photo, mask, trimap, name, subject)
            made = self.run(photo, prior, name, in_python)
        return PhotoMatte(made.alpha, made.foreground, made.mask, made.trimap, made.report, photo)

    def video(
        self,
        path: str | Path,
        *,
        background: str | Path = "transparent",
        start: float = 0,
        end: float | None = None,
        hdr: Literal["keep", "sdr"] = "keep",
        subject: str | Sequence[str] = (),
    ) -> Generator["VideoFrame"]:
        """Yield the frames of a video, each with its alpha, its composite and its time.

        `background` is what `matte video --bg` takes; `start` and `end` are seconds after the first
        frame; `hdr`: whether frames of an HDR video stay in its light or come as SDR. `subject`
        says whom to follow, as --subject does: one choice or several with their times; without, the
        settings do. Frames are prepared ahead: close what this returns if you don't take them all.

        >>> for frame in matte.load("fast").video("talk.mp4", background="office.jpg", end=0.1):
        ...     print(frame.pts, frame.composite.shape)
        0 (48, 64, 3)
        1001 (48, 64, 3)
        2002 (48, 64, 3)
        """
        from matte.clips.run import video_frames  # PyAV is for video only

        clip, behind = as_path(path, "video"), background_text(background)
        with python_names():
            pipeline = pipeline_for_video(self)
        return _named_errors(video_frames(pipeline, clip, behind, start, end, hdr, subject))


def _named_errors(frames: Generator["VideoFrame"]) -> Generator["VideoFrame"]:
    """Yield the frames; errors name arguments of Python."""
    with python_names():
        yield from frames


def load(preset: str = DEFAULT_PRESET, **overrides: Any) -> Pipeline:
    """Return the pipeline of a preset, with any setting of it overridden by its name.

    Settings are those of `matte config show`; the user's own settings file is not read. Networks
    stay loaded, so load once and call often.

    >>> result = matte.load("fast", k=5, max_memory="2GiB")("portrait.jpg")
    >>> result.alpha.shape, result.report["subject"]
    ((512, 512), True)
    """
    if not isinstance(preset, str):
        raise SettingError(f"preset = {preset!r}", "give the name of one")
    if preset.lower().endswith(".toml"):
        raise SettingError(f"no preset {preset!r}", BY_NAME)
    for name in overrides:
        if name not in SETTINGS and name != OLD_PROTOCOL:
            remedy = OF_OTHER_CALLS.get(name) or nearest(name, [*SETTINGS, "preset"])
            raise SettingError(f"no setting {name!r}", remedy)
    with python_names():
        built = build_for_photos(merge_settings(preset, flags=overrides))
    return Pipeline(built.line, built.merged, built.max_pixels, built.memory)


def composite(
    foreground: PhotoInput,
    alpha: NDArray[Any] | Source,
    background: BackgroundInput,
    *,
    fit: Fit = "cover",
    position: str = "50%,50%",
    blend: Blend = "srgb",
) -> NDArray[Any]:
    """Return the foreground on the background as RGB in the foreground's size, weighted by alpha.

    `foreground` is the subject's own colours, (H, W, 3) RGB uint8 or uint16, such as
    `result.foreground`; or a photo (a path, bytes, an open file): its subject's colours are then
    estimated, so that the old background doesn't shine through. `alpha` is (H, W), float 0 … 1 or
    uint8, or a file. `background` is a picture as above, three values 0 … 255, or a text as `matte
    composite --bg` takes it: a picture's path, "white", "#205080", "blur", or "transparent", which
    gives RGBA. `fit` brings a picture to the foreground's size: "cover" cuts off what is too much,
    "contain" shows it whole, "stretch" squashes it, "tile" repeats it; `position` says which part
    stays of what is cut off ("0%,100%": left, bottom). `blend` mixes the stored
    values ("srgb") or the light that they stand for ("linear").

    >>> result = matte.load("fast")("portrait.jpg")
    >>> picture = matte.composite(result.foreground, result.alpha, "#205080")
    >>> matte.composite("portrait.jpg", result.alpha, "beach.jpg", fit="contain").shape
    (512, 512, 3)
    """
    with python_names():
        known = read_alpha(alpha) if is_source(alpha) else as_alpha(alpha)
        photo = as_photo(foreground)
        same_size(("foreground", photo.pixels), ("alpha", known))
        colours = photo.pixels
        if not isinstance(foreground, np.ndarray):
            known = photo.limit_alpha(known)
            colours = estimate_foreground(photo.pixels, known)
        settings = compositing_settings(fit, position, blend)
        return compose_photo(photo, colours, known, background, settings)


def sweep(
    image: PhotoInput,
    bands: Sequence[TrimapSettings] = (),
    line: TwoStage | None = None,
    progress: Progress | None = None,
    *,
    k: Kernel | Sequence[Kernel] = (),
    iterations: int | Sequence[int] = (),
    width: Length | str | Sequence[Length | str] = (),
) -> Sweep:
    """Segment a picture once, refine it with several unknown bands, and choose the best.

    Each kernel of `k` is combined with each number of `iterations`; each `width` is a band, too.
    Each may be one value or several. `bands` are settings of your own instead. `line` has the
    segmenter and the refiner, by default those of the default preset.

    >>> sweep = matte.sweep("portrait.jpg", k=["auto", 7], width=["1%"])
    >>> [score.name for score in sweep.scores]
    ['k = auto', 'k = 7, 6 iterations', 'width = 1%']
    >>> sweep.alphas[sweep.choice.best].shape
    (512, 512)
    """
    _check_sweep(bands, line)
    with python_names():
        bands = bands or sweep_settings(_several(k), _several(iterations), _several(width))
        return sweeping.sweep(image, bands, line, progress)


def _check_sweep(bands: Any, line: Any) -> None:
    """Raise SettingError if the bands or the line of a sweep are something else."""
    if not isinstance(bands, Sequence) or not all(isinstance(b, TrimapSettings) for b in bands):
        raise SettingError(f"bands = {bands!r}", "give kernels by name: k=[3, 7]")
    if line is not None and not isinstance(line, TwoStage):
        remedy = "give one of matte.pipeline.build.build_two_stage()"
        raise SettingError(f"a line of type {type(line).__name__}", remedy)


def _several(values: Any) -> Sequence[Any]:
    """Return several values, or one, as a sequence of them."""
    return (values,) if isinstance(values, str | int | float | Length) else values


def video(
    path: str | Path,
    output: str | Path | None = None,
    *,
    background: str | Path = "transparent",
    pipeline: run.BuiltPipeline | None = None,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
    **options: Unpack[VideoOptions],
) -> "RenderResult":
    """Write a video with its subject on another background, or cut out; return what was written.

    Every frame keeps its time; sound, subtitles and chapters are copied. Without `output` it lies
    beside the video, as `matte video` has it. `progress` is called with the number of frames so
    far; `options` are those of `VideoOptions`: further files, encoding, times. Files are whole or
    not there at all; what was done of an interrupted run is kept as NAME.partial.EXT.

    >>> result = matte.video("talk.mp4", "office.mp4", background="office.jpg", end=0.2, crf=20)
    >>> result.written, result.frames
    ((PosixPath('office.mp4'),), 5)
    """
    if pipeline is not None and not isinstance(pipeline, run.BuiltPipeline):
        raise SettingError(f"pipeline = {pipeline!r}", "give one that matte.load() returns")
    if output is not None and not isinstance(output, str | os.PathLike):
        raise SettingError(f"output = {output!r}", "give a path")
    with python_names():
        given = given_options(options)
        merged = pipeline.merged if pipeline else merge_settings()
        limit = max_pixels(merged.config)
        job = plan_video(as_path(path, "video"), limit, output, background, overwrite, given)
        job.files.check(job.sources)
        wanted = given.get("fps_target")
        if wanted:
            _, chosen = job.choose(merged, wanted, build_for_video)
        else:
            chosen = pipeline_for_video(pipeline) if pipeline else build_for_video(merged)
        return job.render(chosen, progress or (lambda _: None))
