"""Pictures read: photos, masks, trimaps and alphas from files become arrays."""

import io
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image, Mask, Trimap, as_alpha, as_image, as_mask, as_trimap
from matte.errors import PictureError
from matte.imaging.orientation import exif_orientation, turn_upright
from matte.limits import DEFAULT_MAX_PIXELS, check_pixels
from matte.media.exif import read_exif
from matte.media.formats import HEIF, picture_format
from matte.media.heif import decode_heif
from matte.media.pillow import open_with_pillow
from matte.media.pixels import (
    blend_on_white,
    decode_pixels,
    grey_to_srgb,
    split_alpha,
    usable_profile,
)
from matte.media.profiles import GREY, convert_cmyk
from matte.media.sources import HEAD_BYTES, CheckHead, Source, error_text, read_source, source_name

NUMPY_SIGNATURE = b"\x93NUMPY"
# Endings by which pictures are found in folders.
READABLE = (".avif", ".bmp", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

# What goes wrong is raised; nothing needs to be printed too.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A picture upright, and what its file says about it."""

    pixels: Image
    """RGB, 16 bits a channel kept; transparent parts are put on white."""
    profile: bytes = b""
    """The ICC profile of the pixels; b"" is sRGB."""
    exif: bytes = b""
    """The EXIF block, with orientation 1 and without thumbnail; b"" if there is none."""
    transparency: Alpha | None = None
    """The picture's own alpha; None if it is opaque everywhere."""

    def limit_alpha(self, alpha: Alpha) -> Alpha:
        """Return the alpha (H, W), limited to the photo's own transparency."""
        if self.transparency is None:
            return alpha
        return Alpha(np.minimum(alpha, self.transparency))


def read_photo(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Return the picture with its colour profile, EXIF block and transparency.

    `source`, here and below, is a path, a file's bytes, or a binary file that is open.
    """
    data = read_source(source, picture_format)
    return decode_photo(data, source_name(source), max_pixels)


def decode_photo(data: bytes, name: str, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Return the photo that a file's bytes hold; `name` is what errors call it.

    Grey and CMYK pictures with profiles of their own are brought into sRGB.
    """
    if picture_format(data[:HEAD_BYTES], name)[0] == HEIF:
        array, profile, exif = decode_heif(data, name, max_pixels)
    else:
        with open_with_pillow(data, name, max_pixels) as picture:
            orientation, exif = exif_orientation(picture), read_exif(picture)
            profile = usable_profile(picture, data, name)
            if picture.mode == "CMYK" and profile:
                picture, profile = convert_cmyk(picture, profile), b""
            array = decode_pixels(picture, data)
            if profile[16:20] == GREY:
                array, profile = grey_to_srgb(array, profile), b""
            array = turn_upright(array, orientation)
    colours, alpha = split_alpha(array)
    del array
    rgb = colours if alpha is None else blend_on_white(colours, alpha)
    transparency = None if alpha is None else as_alpha(alpha)
    return Photo(_check_named(name, as_image, rgb), profile, exif, transparency)


def read_image(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image:
    """Return the picture as RGB, upright as its EXIF orientation says, 16 bits a channel kept.

    Transparent parts are put on white.
    """
    return read_photo(source, max_pixels).pixels


def read_mask(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> Mask:
    """Return a mask from a grey picture; of a picture with transparency, what is opaque."""
    grey = _read_grey(source, max_pixels, "mask")
    return _check_named(source_name(source, "mask"), as_mask, grey)


def read_trimap(source: Source, max_pixels: int = DEFAULT_MAX_PIXELS) -> Trimap:
    """Return a trimap from a grey picture: below 85 background, from 170 on subject."""
    grey = _read_grey(source, max_pixels, "trimap")
    return _check_named(source_name(source, "trimap"), as_trimap, grey)


def read_alpha(
    source: Source, max_pixels: int = DEFAULT_MAX_PIXELS, *, kind: str = "alpha"
) -> Alpha:
    """Return alpha from a grey picture, from one's transparency, or from floats (.npy, .tif).

    Paths are read as .npy if they end so, bytes and open files if they begin as a .npy does.
    `kind` is what errors call a source without a name: "the mask".
    """
    name = source_name(source, kind)
    data = read_source(source, _alpha_head_check(source), kind)
    if data.startswith(NUMPY_SIGNATURE):
        values = _decode_numpy(data, name, max_pixels)
    else:
        values = _decode_grey(data, name, max_pixels)
    return _check_named(name, as_alpha, values)


def _read_grey(source: Source, max_pixels: int, kind: str) -> NDArray[Any]:
    """Return the grey levels of a source, as _decode_grey(); errors call it by its `kind`."""
    name = source_name(source, kind)
    return _decode_grey(read_source(source, picture_format, kind), name, max_pixels)


def _decode_grey(data: bytes, name: str, max_pixels: int) -> NDArray[Any]:
    """Return grey as uint8, uint16 or float32, as it is stored: no profile is applied.

    A picture with transparency is its alpha channel, another one with colours its luminance.
    """
    with open_with_pillow(data, name, max_pixels) as picture:
        orientation = exif_orientation(picture)
        array = turn_upright(decode_pixels(picture, data), orientation)
    colours, alpha = split_alpha(array)
    if alpha is not None:
        return alpha
    return colours if colours.ndim == 2 else np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY))


def _alpha_head_check(source: Source) -> CheckHead:
    """Return the function that checks the first bytes of an alpha: a .npy, a picture, or either."""

    def check_numpy(head: bytes, name: str) -> None:
        """Raise ValueError unless these are the first bytes of a .npy."""
        if not head.startswith(NUMPY_SIGNATURE):
            raise ValueError("it is no .npy")

    def check_either(head: bytes, name: str) -> None:
        """Raise PictureError unless these are the first bytes of a .npy or a picture."""
        if not head.startswith(NUMPY_SIGNATURE):
            picture_format(head, name)

    if not isinstance(source, str | os.PathLike):
        return check_either
    return check_numpy if Path(source).suffix.lower() == ".npy" else picture_format


# What numpy raises for a header that is none: one that nothing closes, or brackets without end.
NPY_ERRORS = (
    ValueError,
    LookupError,
    SyntaxError,
    TypeError,
    OverflowError,
    TokenError,
    RecursionError,
    MemoryError,
)


def _decode_numpy(data: bytes, name: str, max_pixels: int) -> NDArray[Any]:
    """Return the array that a .npy holds; nothing is made before its size is checked."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError("it holds Python's objects")
        check_pixels(name, math.prod(shape[1:]), shape[0] if shape else 1, max_pixels)
        array: NDArray[Any]
        array = np.frombuffer(file.getbuffer()[file.tell() :], dtype, math.prod(shape))
        return array.reshape(shape, order="F" if fortran else "C")
    except NPY_ERRORS as error:
        cause = f"can't read {name} ({error_text(error)})"
        raise PictureError(cause, "save it again") from error


def _check_named(name: str, check: Callable[[Any], T], array: NDArray[Any]) -> T:
    """Return check(array); a PictureError that it raises names the file."""
    try:
        return check(array)
    except PictureError as error:
        raise PictureError(f"{name} is {error.cause}", error.remedy) from error
