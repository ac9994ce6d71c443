"""The pixels of a picture that Pillow opened, as arrays: grey, RGB or RGBA, 8 or 16 bits."""

import warnings
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.errors import MatteWarning
from matte.imaging.channels import swap_red_and_blue
from matte.imaging.strips import strip_slices
from matte.media import png
from matte.media.profiles import CMYK, GREY, RGB, grey_profile_levels, profile_space

GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")  # Pillow's names
# Numbers of TIFF's tags.
TAG_BITS, TAG_PHOTOMETRIC, TAG_EXTRA_SAMPLES = 258, 262, 338
WHITE_IS_ZERO, PREMULTIPLIED = 0, 1


def decode_pixels(picture: Pillow.Image, data: bytes) -> NDArray[Any]:
    """Return grey, RGB or RGBA as uint8 or uint16, or grey as float32; not turned upright.

    `data` are the file's bytes. Pillow's own pixels are let go: the picture can't be asked for them
    any more.
    """
    if picture.mode == "F":
        return np.asarray(picture, np.float32)
    deep = picture.mode in (*GREY_MODES, "RGB", "RGBA") and _channel_bits(picture, data) > 8
    if deep or picture.mode.startswith("I"):
        return _decode_by_opencv(picture, data)
    if picture.mode in ("La", "RGBa"):  # multiplied with their alpha
        picture = picture.convert({"La": "LA", "RGBa": "RGBA"}[picture.mode])
    if picture.has_transparency_data:
        return _pillow_array(picture, "RGBA")
    return _pillow_array(picture, "L" if picture.mode in GREY_MODES else "RGB")


def usable_profile(picture: Pillow.Image, data: bytes, name: str) -> bytes:
    """Return the picture's ICC profile; b"" if there is none, or a damaged one (MatteWarning)."""
    stored = png.read_profile(data) if picture.format == "PNG" else picture.info.get("icc_profile")
    if not stored or picture.mode in ("LAB", "F"):
        return b""
    fitting: tuple[bytes, ...] = (CMYK,) if picture.mode == "CMYK" else (RGB,)
    if picture.mode in GREY_MODES or (picture.format == "PNG" and data[25] in (0, 4)):
        fitting = (GREY, RGB)
    if profile_space(stored) in fitting:
        return bytes(stored)
    text = f"the colour profile of {name} is damaged or not for it: the colours are taken as sRGB"
    warnings.warn(text, MatteWarning, stacklevel=4)
    return b""


def grey_to_srgb(array: NDArray[Any], profile: bytes) -> NDArray[Any]:
    """Return a grey picture of a grey profile in sRGB; of grey as RGBA, the alpha channel stays."""
    top = np.iinfo(array.dtype).max
    table = np.rint(grey_profile_levels(profile, top + 1) * top).astype(array.dtype)
    if array.ndim == 2:
        return np.asarray(table[array])
    return np.dstack([table[array[:, :, :3]], array[:, :, 3:]])


def split_alpha(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return grey or RGB, and the alpha channel, None if there is none or all is opaque."""
    if array.ndim == 2 or array.shape[2] == 3:
        return array, None
    colours = np.asarray(cv2.cvtColor(array, cv2.COLOR_RGBA2RGB))
    alpha = np.asarray(cv2.extractChannel(array, 3))
    return colours, None if alpha.min() == np.iinfo(array.dtype).max else alpha


def blend_on_white(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Return αF + (1 − α) white, rounded; alpha is in the colours' dtype and full range."""
    out, top = np.empty_like(colours), np.iinfo(colours.dtype).max
    wide = np.dtype(np.uint16 if colours.dtype == np.uint8 else np.uint32)  # holds top²
    for rows in strip_slices(*alpha.shape):
        missing = np.multiply(top - colours[rows], alpha[rows][:, :, None], dtype=wide)
        out[rows] = top - (missing + wide.type(top // 2)) // wide.type(top)
    return out


def _pillow_array(picture: Pillow.Image, mode: str) -> NDArray[np.uint8]:
    """Return the pixels in another of Pillow's modes, or in their own; the picture is closed."""
    width, height = picture.size
    out = np.empty((height, width) if mode == "L" else (height, width, len(mode)), np.uint8)
    for rows in strip_slices(height, width):
        strip = picture.crop((0, rows.start, width, rows.stop))
        out[rows] = np.asarray(strip if strip.mode == mode else strip.convert(mode))
    picture.close()
    return out


def _decode_by_opencv(picture: Pillow.Image, data: bytes) -> NDArray[Any]:
    """Return the pixels with all their bits: Pillow would cut 16-bit colours to 8."""
    picture.close()
    if picture.format == "PNG":
        data = png.deep_png(data)  # OpenCV's libpng prints what it thinks of the file's own
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    array: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if array is None or array.dtype not in (np.uint8, np.uint16):
        raise ValueError("OpenCV can't decode it as 8 or 16 bits")
    if array.ndim == 3:
        array = swap_red_and_blue(array, array)
    if picture.format == "TIFF":
        array = _apply_tiff_tags(picture, array)
    return np.asarray(array)


def _apply_tiff_tags(picture: Pillow.Image, array: NDArray[Any]) -> NDArray[Any]:
    """Return a TIFF's pixels, scaled to 16 bits, black at 0 and with straight alpha.

    OpenCV ignores the tags of 10 to 14 bits, of white as zero, and of premultiplied colours.
    """
    bits = _tiff_tag(picture, TAG_BITS, 8)
    if array.dtype == np.uint16 and bits < 16:
        array = ((array >> (16 - bits)) * np.uint32(65535) // (2**bits - 1)).astype(np.uint16)
    if _tiff_tag(picture, TAG_PHOTOMETRIC, 1) == WHITE_IS_ZERO:
        array = np.invert(array)
    if array.ndim == 3 and array.shape[2] == 4:
        if picture.mode == "RGB":  # a channel that is no alpha
            return np.ascontiguousarray(array[:, :, :3])
        if _tiff_tag(picture, TAG_EXTRA_SAMPLES, 2) == PREMULTIPLIED:
            top, alpha = np.iinfo(array.dtype).max, array[:, :, 3:]
            straight = np.rint(array[:, :, :3] * (top / np.maximum(alpha, 1)))
            return np.dstack([np.minimum(straight, top).astype(array.dtype), alpha])
    return array


def _channel_bits(picture: Pillow.Image, data: bytes) -> int:
    """Return the bits of a channel; 8 in formats that never have more."""
    if picture.format == "PNG":
        return data[24]
    return _tiff_tag(picture, TAG_BITS, 8) if picture.format == "TIFF" else 8


def _tiff_tag(picture: Pillow.Image, number: int, default: int) -> int:
    """Return a number among a TIFF's tags, the first of several."""
    value = picture.tag_v2.get(number, default)  # type: ignore[attr-defined]  # TIFFs have it
    return int(value[0] if isinstance(value, tuple) else value)
