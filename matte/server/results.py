"""A picture's result in the form that was asked for: cut, scaled, encoded."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import Blur, PlainColour, colour_pixel
from matte.compositing.canvas import Canvas, compose_on_canvas, place_on_canvas
from matte.compositing.composer import Composer, DefocusedGround, Ground, PictureGround
from matte.compositing.crop import subject_box
from matte.errors import SettingError
from matte.imaging.bit_depth import convert_depth, quantise_alpha
from matte.imaging.channels import swap_red_and_blue
from matte.imaging.resizing import resize, scaled_size
from matte.media.encoding import encode
from matte.media.pictures import Photo
from matte.media.profiles import convert_to_profile
from matte.photos.finishing import WHOLE_PICTURE
from matte.server.asked import Asked, SentPicture
from matte.server.problems import ProblemError
from matte.server.quick import scale_length
from matte.server.steps import PictureSteps

LOSSY_QUALITY = {"webp": 82, "jpeg": 88}
EFFORT_WORDS = {"webp": cv2.IMWRITE_WEBP_QUALITY, "jpeg": cv2.IMWRITE_JPEG_QUALITY}
BEGINNING = Fraction(0)

A = TypeVar("A", bound=NDArray[Any])
ReadPicture = Callable[[str], Photo]  # of another picture that the client has sent, by its id


@dataclass(frozen=True, slots=True)
class Made:
    """A result's file, and what a client is told beside it."""

    data: bytes
    media_type: str
    width: int
    height: int
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    """The rows and columns of the picture that it shows: left, top, width, height."""
    subject: bool | None = None
    warnings: tuple[str, ...] = ()
    ms: dict[str, float] = field(default_factory=dict)


def make_result(steps: PictureSteps, asked: Asked, read_picture: ReadPicture) -> Made:
    """Return the result that is asked for."""
    photo = steps.photo()
    part = _wanted_part(steps, asked)
    known = asked.result in ("alpha", "cutout", "composite")
    found = steps.found() if known else None
    if asked.result in ("cutout", "composite"):
        steps.colours()
    with steps.watch("compose"):
        array = _scaled(_array(steps, asked, part, read_picture), asked.max_side)
    with steps.watch("encode"):
        data = encode_result(array, asked, photo)
    height, width = photo.pixels.shape[:2]
    rows, columns = (part[0].indices(height), part[1].indices(width))
    return Made(
        data,
        asked.media_type,
        array.shape[1],
        array.shape[0],
        (columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0]),
        None if found is None else found.report["subject"],
        () if found is None else found.warnings,
        dict(steps.watch.ms),
    )


def make_preview(colours: Image, alpha: Alpha, asked: Asked) -> Made:
    """Return a small result, whose colours are known, on a plain background or on none."""
    ground = None
    if isinstance(asked.behind, PlainColour):
        ground = PictureGround(colour_pixel(asked.behind.rgb))
    elif not asked.has_transparency:
        raise ProblemError(400, "a preview is on a colour or on nothing", "give such a bg")
    blend = asked.settings.config.compositing.blend
    array = Composer(ground, blend).compose(colours, colours, alpha)
    array = _scaled(array, asked.max_side)
    data = encode_result(array, asked, Photo(colours))
    return Made(data, asked.media_type, array.shape[1], array.shape[0])


def encode_result(array: NDArray[Any], asked: Asked, photo: Photo) -> bytes:
    """Return the file of a result's pixels."""
    if asked.is_lossy and asked.format in LOSSY_QUALITY:
        small = convert_depth(array, np.dtype(np.uint8)) if array.dtype == np.uint16 else array
        if small.ndim == 3:
            small = swap_red_and_blue(small, np.empty_like(small))
        options = [EFFORT_WORDS[asked.format], LOSSY_QUALITY[asked.format]]
        done, data = cv2.imencode(asked.suffix, small, options)
        if done:
            return data.tobytes()
    return bytes(encode(array, asked.suffix, photo.profile, photo.exif))


def _array(
    steps: PictureSteps, asked: Asked, part: tuple[slice, slice], read_picture: ReadPicture
) -> NDArray[Any]:
    """Return the pixels of the wanted part of a result."""
    if asked.result == "photo":
        return _cut(steps.photo().pixels, part)
    if asked.result == "mask":
        return _cut(steps.mask(), part)
    if asked.result == "trimap":
        return _cut(steps.trimap(), part)
    if asked.canvas is not None:
        return _on_canvas(steps, asked, asked.canvas, read_picture)
    alpha = _cut(steps.found().alpha, part)
    if asked.result == "alpha":
        return quantise_alpha(alpha, np.uint16 if asked.bits == 16 else np.uint8)
    colours = _cut(steps.colours(), part)
    ground = None
    if not asked.has_transparency:
        behind = _ground(steps, asked, read_picture)
        ground = PictureGround(behind if behind.shape[:2] == (1, 1) else _cut(behind, part))
    blend = asked.settings.config.compositing.blend
    return Composer(ground, blend, asked.premultiply).compose(colours, colours, alpha)


def _on_canvas(
    steps: PictureSteps, asked: Asked, canvas: Canvas, read_picture: ReadPicture
) -> NDArray[Any]:
    """Return the subject on its canvas; a preview's is as much smaller as its picture."""
    side = steps.factor
    small = replace(
        canvas,
        width=max(1, round(canvas.width * side)),
        height=max(1, round(canvas.height * side)),
    )
    placed = place_on_canvas(steps.colours(), steps.found().alpha, small)
    ground = None if asked.has_transparency else _canvas_ground(steps, asked, read_picture)
    composer = Composer(ground, asked.settings.config.compositing.blend, asked.premultiply)
    return compose_on_canvas(placed, composer, canvas.shadow)


def _canvas_ground(steps: PictureSteps, asked: Asked, read_picture: ReadPicture) -> Ground:
    """Return what lies behind a subject on a canvas: a colour, or a picture that is fitted."""
    behind, profile = asked.behind, steps.photo().profile
    fitting = asked.settings.config.compositing
    if isinstance(behind, PlainColour):
        return PictureGround(Image(convert_to_profile(colour_pixel(behind.rgb), b"", profile)))
    assert isinstance(behind, SentPicture), f"no ground for {behind}"
    other = read_picture(behind.id)
    pixels = convert_to_profile(other.pixels, other.profile, profile)
    return PictureGround(pixels, fitting.fit, fitting.place)


def _ground(steps: PictureSteps, asked: Asked, read_picture: ReadPicture) -> Image:
    """Return the background in the picture's size, or one pixel of a plain colour."""
    behind, photo = asked.behind, steps.photo()
    fitting = asked.settings.config.compositing
    if isinstance(behind, PlainColour):
        return Image(convert_to_profile(colour_pixel(behind.rgb), b"", photo.profile))
    alpha = steps.found().alpha
    if isinstance(behind, Blur):
        ground = DefocusedGround(scale_length(behind.radius, steps.factor))
        return steps.keep_ground(
            behind, lambda: ground.background_for(photo.pixels, alpha, BEGINNING), is_alphas=True
        )
    assert isinstance(behind, SentPicture), f"no ground for {behind}"

    def fitted() -> Image:
        other = read_picture(behind.id)
        pixels = convert_to_profile(other.pixels, other.profile, photo.profile)
        ground = PictureGround(pixels, fitting.fit, fitting.place)
        return ground.background_for(photo.pixels, alpha, BEGINNING)

    return steps.keep_ground((behind, fitting.fit, fitting.position), fitted)


def _wanted_part(steps: PictureSteps, asked: Asked) -> tuple[slice, slice]:
    """Return the rows and columns that are wanted, of the picture that is worked on."""
    height, width = steps.photo().pixels.shape[:2]
    if asked.box is not None and asked.crop is not None:
        raise SettingError("box and crop exclude each other", "give one of them")
    if asked.box is not None:
        rows, columns = asked.box.slices()
        factor = steps.factor
        part = (_scale_slice(rows, factor, height), _scale_slice(columns, factor, width))
        if part[0].start >= part[0].stop or part[1].start >= part[1].stop:
            raise ProblemError(400, "the box lies outside the picture")
        return part
    if asked.crop is not None:
        margin = scale_length(asked.crop, steps.factor)
        return subject_box(steps.found().alpha, margin) or WHOLE_PICTURE
    return WHOLE_PICTURE


def _scale_slice(wanted: slice, factor: float, length: int) -> slice:
    """Return a slice of the full picture on a copy, within the copy."""
    start, stop = (round(end * factor) for end in (wanted.start, wanted.stop))
    return slice(min(start, length), min(max(stop, start + 1), length))


def _cut(array: A, part: tuple[slice, slice]) -> A:
    """Return a part of an array as one block of memory."""
    return np.ascontiguousarray(array[part])  # type: ignore[return-value]  # of the same type


def _scaled(array: NDArray[Any], max_side: int | None) -> NDArray[Any]:
    """Return the picture with this longest side, if it is larger."""
    longest = max(array.shape[:2])
    if max_side is None or longest <= max_side:
        return array
    height, width = scaled_size(array.shape, max_side / longest)
    if array.ndim == 3 and array.shape[2] == 4:
        return _scale_cutout(array, height, width)
    return np.asarray(resize(array, height, width))


def _scale_cutout(array: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Return a smaller cut-out: its colours are weighted with their alpha."""
    top = np.float32(np.iinfo(array.dtype).max)
    alpha = resize(array[:, :, 3].astype(np.float32), height, width)
    weighted = array[:, :, :3].astype(np.float32) * (array[:, :, 3:] / top)
    colours = resize(weighted, height, width) / np.maximum(alpha / top, 1e-6)[:, :, None]
    out = np.concatenate([colours, alpha[:, :, None]], axis=2)
    return np.asarray(np.clip(np.rint(out), 0, top), array.dtype)
