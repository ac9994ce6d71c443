"""Pictures encoded as files of the format that a name's ending asks for."""

import io
import struct
import warnings
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Alpha
from matte.errors import MatteWarning, OutputError, is_memory_error
from matte.imaging.bit_depth import convert_depth, quantise_alpha
from matte.imaging.channels import swap_red_and_blue
from matte.media import png
from matte.media.exif import clean_exif
from matte.media.pillow import without_pillow_limits
from matte.media.tiff import encode_tiff

OPAQUE = (".jpg", ".jpeg", ".bmp")  # formats without an alpha channel
WRITABLE = (".png", ".tif", ".tiff", ".webp", ".avif", *OPAQUE)
LAYERED = (".psd", ".exr")  # formats of layers, for whole results only
ALPHA_WRITABLE = (".png", ".tif", ".tiff", ".npy")
DEEP_SUFFIXES = (".png", ".tif", ".tiff")  # formats of 16 bits
# Pillow's names and options. Colours are not thinned out: clean edges are what this is about.
# The lossless WebP's quality is the effort: above 20 files hardly become smaller.
JPEG: dict[str, Any] = {"format": "JPEG", "quality": 95, "subsampling": 0}
OPTIONS: dict[str, dict[str, Any]] = {
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".bmp": {"format": "BMP"},
    ".webp": {"format": "WEBP", "lossless": True, "exact": True, "quality": 20},
    ".avif": {"format": "AVIF", "quality": 90, "subsampling": "4:4:4", "speed": 8},
}
MAX_JPEG_EXIF_BYTES = 65_527


def encode(
    array: NDArray[Any],
    suffix: str,
    profile: bytes = b"",
    exif: bytes = b"",
    reuse_array: bool = False,
) -> bytes:
    """Return the bytes of a file in `suffix`'s format: grey, RGB or straight RGBA, 8 or 16 bits.

    PNG and TIFF keep 16 bits, for the others they are rounded. `profile` is the ICC profile of the
    colours, which grey pictures do without; `exif` is written with orientation 1 and without its
    thumbnail. BMP holds neither. With `reuse_array` the array may be overwritten on the way.
    """
    suffix, exif = suffix.lower(), clean_exif(exif)
    if array.ndim == 2:
        profile = b""
    elif array.shape[2] == 4 and suffix in OPAQUE:
        raise OutputError(f"{suffix} can't hold transparency", "save it as .png")
    if array.dtype == np.uint16 and suffix not in DEEP_SUFFIXES:
        array = convert_depth(array, np.dtype(np.uint8))
    try:
        if suffix == ".png":
            return png.insert_metadata(_encode_png(array, reuse_array), profile, exif)
        if suffix in (".tif", ".tiff"):
            return encode_tiff(array, profile, exif)
        return _encode_by_pillow(array, suffix, profile, exif)
    # What encoders raise for sizes that they can't hold, and for endings that nobody knows.
    except (
        cv2.error,
        OSError,
        ValueError,
        LookupError,
        RuntimeError,
        MemoryError,
        struct.error,
    ) as error:
        size = f"{array.shape[1]}×{array.shape[0]}"
        if is_memory_error(error):
            cause = f"there is not enough memory to save a picture of {size}"
            raise OutputError(cause, "give a smaller picture, or set --max-memory") from error
        raise OutputError(
            f"a picture of {size} can't be saved as {suffix}", "save it as .png"
        ) from error


def encode_alpha(alpha: Alpha, suffix: str) -> bytes:
    """Return alpha as a file's bytes: .npy float32 as it is, .tif 16-bit, .png 8-bit, rounded."""
    suffix = suffix.lower()
    if suffix == ".npy":
        file = io.BytesIO()
        np.save(file, alpha, allow_pickle=False)
        return file.getvalue()
    return encode(quantise_alpha(alpha, np.uint8 if suffix == ".png" else np.uint16), suffix)


def _encode_png(array: NDArray[Any], reuse_array: bool) -> memoryview:
    """Return a PNG made by OpenCV, which is several times as fast as Pillow."""
    if array.ndim == 3:
        array = swap_red_and_blue(array, array if reuse_array else np.empty_like(array))
    done, data = cv2.imencode(".png", array)
    if not done:
        raise ValueError("OpenCV can't encode it")
    return data.data


def _encode_by_pillow(array: NDArray[Any], suffix: str, profile: bytes, exif: bytes) -> bytes:
    """Return a file of one of the formats in OPTIONS; colours are not converted."""
    options = dict(OPTIONS[suffix])
    if options["format"] == "JPEG" and len(exif) > MAX_JPEG_EXIF_BYTES:
        text = f"{len(exif)} bytes of EXIF data do not fit into a JPEG: they are left out"
        warnings.warn(text, MatteWarning, stacklevel=3)
        exif = b""
    if profile:
        options["icc_profile"] = profile
    if exif:
        options["exif"] = b"Exif\0\0" + exif
    file = io.BytesIO()
    with without_pillow_limits:
        Pillow.fromarray(array).save(file, **options)
    return file.getvalue()
