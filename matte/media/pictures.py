"""Pictures read: what is behind a file name becomes an array."""

import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Alpha, Image, Mask, Trimap, as_alpha, as_image, as_mask, as_trimap
from matte.errors import MatteWarning, PictureError
from matte.imaging.channels import swap_red_and_blue
from matte.imaging.orientation import exif_orientation, turn_upright
from matte.imaging.strips import strip_slices
from matte.media import exif, png
from matte.media.colours import CMYK, GREY, RGB, cmyk_as_rgb, grey_levels, space
from matte.media.opening import MAX_PIXELS, contents, opened, reason, recognised, refuse_large

NUMPY = b"\x93NUMPY"  # what .npy files begin with
# Endings by which pictures are found in folders.
READABLE = (".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
GREYS = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")  # Pillow's names

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

    def limited(self, alpha: Alpha) -> Alpha:
        """Alpha, nowhere above the picture's own."""
        if self.transparency is None:
            return alpha
        return Alpha(np.minimum(alpha, self.transparency))


def read_photo(path: Path, max_pixels: int = MAX_PIXELS) -> Photo:
    """The picture with its colour profile, EXIF block and transparency."""
    return decode(contents(path, recognised), str(path), max_pixels)


def decode(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Photo:
    """The photo whose file's bytes are given; `name` is what errors call it.

    Grey and CMYK pictures with profiles of their own are brought into sRGB.
    """
    with opened(data, name, max_pixels) as picture:
        turn, block = exif_orientation(picture), exif.described(picture)
        profile = _profile(picture, data, name)
        if picture.mode == "CMYK" and profile:
            picture, profile = cmyk_as_rgb(picture, profile), b""
        array = _stored(picture, data)
        if profile[16:20] == GREY:
            array, profile = _in_srgb(array, profile), b""
        colours, alpha = _parted(turn_upright(array, turn))
        del array
    pixels = _named(name, as_image, colours if alpha is None else _on_white(colours, alpha))
    return Photo(pixels, profile, block, None if alpha is None else as_alpha(alpha))


def read_image(path: Path, max_pixels: int = MAX_PIXELS) -> Image:
    """The picture as RGB, upright as its EXIF orientation says, 16 bits a channel kept.

    Transparent parts are put on white.
    """
    return read_photo(path, max_pixels).pixels


def read_mask(path: Path, max_pixels: int = MAX_PIXELS) -> Mask:
    """A mask from a grey picture; of a picture with transparency, what is opaque."""
    return _named(str(path), as_mask, _levels(path, max_pixels))


def read_trimap(path: Path, max_pixels: int = MAX_PIXELS) -> Trimap:
    """A trimap from a grey picture, its values sorted at 85 and 170."""
    return _named(str(path), as_trimap, _levels(path, max_pixels))


def read_alpha(path: Path, max_pixels: int = MAX_PIXELS) -> Alpha:
    """Alpha from a grey picture, from one's transparency, or from floats in a .npy or .tif."""
    deep = path.suffix.lower() == ".npy"
    levels = _numpy_array(path, max_pixels) if deep else _levels(path, max_pixels)
    return _named(str(path), as_alpha, levels)


def _levels(path: Path, max_pixels: int) -> NDArray[Any]:
    """Grey as uint8, uint16 or float32, as it is stored: no profile is looked at.

    A picture with transparency is its alpha channel, another one with colours its luminance.
    """
    data = contents(path, recognised)
    with opened(data, str(path), max_pixels) as picture:
        turn = exif_orientation(picture)
        array = turn_upright(_stored(picture, data), turn)
    colours, alpha = _parted(array)
    if alpha is not None:
        return alpha
    return colours if colours.ndim == 2 else np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY))


def _numpy_array(path: Path, max_pixels: int) -> NDArray[Any]:
    """What a .npy holds; nothing is made before its size is known to be there."""

    def is_numpy(head: bytes, name: str) -> None:
        if not head.startswith(NUMPY):
            raise ValueError("it is no .npy")

    unreadable = f"can't read {path} "
    file = io.BytesIO(contents(path, is_numpy))
    try:
        version = np.lib.format.read_magic(file)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = header(file)
        if dtype.hasobject:
            raise ValueError("it holds Python's objects")
        refuse_large((math.prod(shape[1:]), shape[0] if shape else 1), str(path), max_pixels)
        array: NDArray[Any]
        array = np.frombuffer(file.getbuffer()[file.tell() :], dtype, math.prod(shape))
        return array.reshape(shape, order="F" if fortran else "C")
    except (ValueError, LookupError, SyntaxError, TypeError, OverflowError) as error:
        raise PictureError(f"{unreadable}({reason(error)})", "save it again") from error


def _named(name: str, check: Callable[[Any], T], array: NDArray[Any]) -> T:
    """The checked array; what is wrong with it is said with the file's name."""
    try:
        return check(array)
    except PictureError as error:
        raise PictureError(f"{name} is {error.cause}", error.remedy) from error


def _profile(picture: Pillow.Image, data: bytes, name: str) -> bytes:
    """The ICC profile, if it can be used for this picture."""
    stored = png.profile(data) if picture.format == "PNG" else picture.info.get("icc_profile")
    if not stored or picture.mode in ("LAB", "F"):
        return b""
    fitting: tuple[bytes, ...] = (CMYK,) if picture.mode == "CMYK" else (RGB,)
    if picture.mode in GREYS or (picture.format == "PNG" and data[25] in (0, 4)):
        fitting = (GREY, RGB)
    if space(stored) in fitting:
        return bytes(stored)
    text = f"the colour profile of {name} is damaged or not for it: the colours are taken as sRGB"
    warnings.warn(text, MatteWarning, stacklevel=4)
    return b""


def _in_srgb(array: NDArray[Any], profile: bytes) -> NDArray[Any]:
    """A grey picture with a grey profile; of grey as RGBA, the alpha channel stays."""
    top = np.iinfo(array.dtype).max
    table = np.rint(grey_levels(profile, top + 1) * top).astype(array.dtype)
    if array.ndim == 2:
        return np.asarray(table[array])
    return np.dstack([table[array[:, :, :3]], array[:, :, 3:]])


def _stored(picture: Pillow.Image, data: bytes) -> NDArray[Any]:
    """Grey, RGB or RGBA as uint8 or uint16, or grey as float32; not turned.

    Pillow's own pixels are let go: the picture can't be asked for them any more.
    """
    if picture.mode == "F":
        return np.asarray(picture, np.float32)
    deep = picture.mode in (*GREYS, "RGB", "RGBA") and _bits(picture, data) > 8
    if deep or picture.mode.startswith("I"):
        return _stored_deep(picture, data)
    if picture.mode in ("La", "RGBa"):  # multiplied with their alpha
        picture = picture.convert({"La": "LA", "RGBa": "RGBA"}[picture.mode])
    if picture.has_transparency_data:
        return _converted(picture, "RGBA")
    return _converted(picture, "L" if picture.mode in GREYS else "RGB")


def _converted(picture: Pillow.Image, mode: str) -> NDArray[np.uint8]:
    """The pixels in another of Pillow's modes, or in their own."""
    width, height = picture.size
    out = np.empty((height, width) if mode == "L" else (height, width, len(mode)), np.uint8)
    for part in strip_slices(height, width):
        rows = picture.crop((0, part.start, width, part.stop))
        out[part] = np.asarray(rows if rows.mode == mode else rows.convert(mode))
    picture.close()
    return out


def _stored_deep(picture: Pillow.Image, data: bytes) -> NDArray[Any]:
    """Through OpenCV: Pillow would cut 16-bit colours to 8."""
    if picture.format == "PNG":
        data = png.stripped(data, (b"tRNS",))  # OpenCV grumbles about what is odd in the others
    picture.close()
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    array: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if array is None or array.dtype not in (np.uint8, np.uint16):
        raise ValueError("OpenCV can't decode it as 8 or 16 bits")
    if array.ndim == 3:
        array = swap_red_and_blue(array, array)
    if picture.format == "TIFF":
        array = _as_the_tags_say(picture, array)
    return np.asarray(array)


def _as_the_tags_say(picture: Pillow.Image, array: NDArray[Any]) -> NDArray[Any]:
    """What OpenCV leaves of a deep TIFF: fewer bits, white that is zero, alpha multiplied in."""
    bits = _tag(picture, 258, 8)
    if array.dtype == np.uint16 and bits < 16:
        array = ((array >> (16 - bits)) * np.uint32(65535) // (2**bits - 1)).astype(np.uint16)
    if _tag(picture, 262, 1) == 0:  # white is zero
        array = np.invert(array)
    if array.ndim == 3 and array.shape[2] == 4:
        if picture.mode == "RGB":  # a channel that is no alpha
            return np.ascontiguousarray(array[:, :, :3])
        if _tag(picture, 338, 2) == 1:
            top, alpha = np.iinfo(array.dtype).max, array[:, :, 3:]
            straight = np.rint(array[:, :, :3] * (top / np.maximum(alpha, 1)))
            return np.dstack([np.minimum(straight, top).astype(array.dtype), alpha])
    return array


def _parted(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Grey or RGB, and the alpha channel, if it is not opaque everywhere."""
    if array.ndim == 2 or array.shape[2] == 3:
        return array, None
    colours = np.asarray(cv2.cvtColor(array, cv2.COLOR_RGBA2RGB))
    alpha = np.asarray(cv2.extractChannel(array, 3))
    return colours, None if alpha.min() == np.iinfo(array.dtype).max else alpha


def _on_white(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Rounded αF + (1 − α) white, in whole numbers."""
    out, top = np.empty_like(colours), np.iinfo(colours.dtype).max
    wide = np.dtype(np.uint16 if colours.dtype == np.uint8 else np.uint32)  # holds top²
    for part in strip_slices(*alpha.shape):
        missing = np.multiply(top - colours[part], alpha[part][:, :, None], dtype=wide)
        out[part] = top - (missing + wide.type(top // 2)) // wide.type(top)
    return out


def _bits(picture: Pillow.Image, data: bytes) -> int:
    """Bits a channel, where the format may have more than 8."""
    if picture.format == "PNG":
        return data[24]
    return _tag(picture, 258, 8) if picture.format == "TIFF" else 8


def _tag(picture: Pillow.Image, number: int, default: int) -> int:
    """A number among a TIFF's tags, the first of several."""
    value = picture.tag_v2.get(number, default)  # type: ignore[attr-defined]  # TIFFs have it
    return int(value[0] if isinstance(value, tuple) else value)
