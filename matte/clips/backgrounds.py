"""The background of a video's frames: a picture that is read, or a film that is decoded."""

import warnings
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np

from matte.arrays import Image
from matte.compositing.backgrounds import (
    Background,
    Blur,
    FilmFile,
    PictureFile,
    PlainColour,
    Transparent,
    colour_pixel,
)
from matte.compositing.composer import (
    Composer,
    DefocusedGround,
    FilmGround,
    Ground,
    PictureGround,
)
from matte.compositing.fitting import MIDDLE, Fit, Position, widen_pixels
from matte.configs.settings import CompositingSettings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.imaging.bit_depth import convert_depth
from matte.imaging.light import Curve
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.pictures import read_photo
from matte.media.profiles import convert_to_profile
from matte.media.video.clip import BrokenFrame, Clip, open_clip
from matte.media.video.container import REMEDY
from matte.media.video.hdr import HdrLight

FilmEnd = Literal["loop", "hold"]
FILM_ENDS: tuple[FilmEnd, ...] = get_args(FilmEnd)
SQUARE = Fraction(1)


@contextmanager
def open_composer(
    background: Background,
    settings: CompositingSettings,
    film_end: FilmEnd = "loop",
    *,
    premultiply: bool = False,
    aspect: Fraction = SQUARE,
    dtype: type[np.unsignedinteger[Any]] = np.uint8,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    light: HdrLight | None = None,
) -> Iterator[Composer]:
    """Open the composer that puts frames on the background, or cuts them out if it is transparent.

    The arguments are those of `open_ground`; with `premultiply` cut-outs' colours are multiplied
    with alpha.
    """
    curve: Curve = "srgb" if light is None else light.curve
    if isinstance(background, Transparent):
        yield Composer(None, settings.blend, premultiply, curve)
        return
    ground = open_ground(
        background,
        settings.fit,
        film_end,
        aspect=aspect,
        dtype=dtype,
        max_pixels=max_pixels,
        position=settings.place,
        light=light,
    )
    with ground as opened:
        yield Composer(opened, settings.blend, premultiply, curve)


@contextmanager
def open_ground(
    background: Background,
    fit: Fit = "cover",
    film_end: FilmEnd = "loop",
    *,
    aspect: Fraction = SQUARE,
    dtype: type[np.unsignedinteger[Any]] = np.uint8,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    position: Position = MIDDLE,
    light: HdrLight | None = None,
) -> Iterator[Ground]:
    """Open the background of a video's frames; raise PictureError if its file can't be read.

    A film begins with the first frame that is asked for, whatever its time; when it is over, it
    begins again ("loop") or its last frame stays ("hold"). A GIF is a film. `aspect` is how wide
    the frames' pixels are shown: pictures and films look right on pixels that are not square.
    `dtype` is the frames': a picture is brought to it once. `light` is that of HDR frames: SDR's
    white becomes as bright as their own.
    """
    if film_end not in FILM_ENDS:
        raise SettingError(f"film_end = {film_end!r}", "give " + " or ".join(FILM_ENDS))
    if isinstance(background, Transparent):
        raise SettingError("a transparent background is none", "give another one")
    if isinstance(background, PlainColour):
        yield PictureGround(in_light(colour_pixel(background.rgb), None, light))
    elif isinstance(background, Blur):
        curve: Curve = "srgb" if light is None else light.curve
        yield DefocusedGround(background.radius, quick=True, curve=curve)
    elif _is_still(background):
        photo = read_photo(background.path, max_pixels)
        picture = convert_to_profile(photo.pixels, photo.profile, b"")
        picture = Image(convert_depth(in_light(picture, None, light), np.dtype(dtype)))
        yield PictureGround(widen_pixels(picture, 1 / aspect), fit, position)
    else:
        clip = open_clip(background.path, max_pixels)
        with closing(film_frames(clip, film_end == "loop", light)) as frames:
            yield FilmGround(frames, fit, clip.facts.sample_aspect / aspect, position)


def _is_still(file: PictureFile | FilmFile) -> bool:
    """Return whether the file is a picture that does not move."""
    return isinstance(file, PictureFile) and file.path.suffix.lower() != ".gif"


def in_light(pixels: Image, own: HdrLight | None, wanted: HdrLight | None) -> Image:
    """Return pixels of a light of their `own` in the light that is wanted; None is SDR's."""
    if own == wanted:
        return pixels
    in_sdr = pixels if own is None else own.to_sdr(pixels)
    return in_sdr if wanted is None else wanted.from_sdr(in_sdr)


def film_frames(
    clip: Clip, loops: bool, light: HdrLight | None = None
) -> Generator[tuple[Fraction, Image]]:
    """Yield a film's undamaged frames with their seconds, from 0; if it `loops`, without end.

    They are in SDR, or in the `light` of HDR. Damaged ones are left out, with one MatteWarning.
    Raises PictureError if none is whole.
    """
    begin, warned, whole = Fraction(0), False, False
    while True:
        end = begin
        for frame in clip.frames():
            time = clip.seconds(frame.pts)
            if not isinstance(frame, BrokenFrame):
                yield begin + time, in_light(frame.pixels, clip.light, light)
                whole = True
            elif not warned:
                text = f"{clip.path} is damaged at {float(time):.2f} s ({frame.fault})"
                warnings.warn(f"{text}: what was before stays", MatteWarning, stacklevel=2)
                warned = True
            end = max(end, begin + clip.seconds(frame.pts + frame.duration))
        if not whole:
            raise PictureError(f"{clip.path} has no whole frames", REMEDY)
        if not loops or end == begin:
            return
        begin = end
