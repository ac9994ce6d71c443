"""What a library user calls a photo: a file, pixels of any usual kind, or Pillow's picture."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import as_alpha, as_image
from matte.errors import PictureError
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.pictures import Photo, decode_photo, read_photo
from matte.media.pixels import blend_on_white, split_alpha
from matte.media.sources import Source, is_source

# A Source is a path, a file's bytes or an open file.
PhotoInput = NDArray[Any] | Source | Photo | Pillow.Image
PNG_MODES = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})
MAX_UINT16 = np.iinfo(np.uint16).max


def as_photo(image: PhotoInput, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Return the picture as a photo: read if it is a file, checked if it is pixels.

    Pixels are (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, uint8, uint16 or float 0 … 1, which
    becomes uint16. Pillow's pictures keep their colour profile and are turned upright.
    """
    if isinstance(image, Photo):
        return image
    if isinstance(image, Pillow.Image):
        return _photo_from_pillow(image, max_pixels)
    if is_source(image):
        return read_photo(image, max_pixels)
    return photo_from_pixels(image)


def photo_from_pixels(pixels: Any) -> Photo:
    """Return a photo of an array's pixels; raise PictureError for what is no picture."""
    array = np.asarray(pixels)
    if array.dtype.kind not in "buif":
        what = f"a value of type {type(pixels).__name__} is no picture"
        raise PictureError(what, "give a file, one of Pillow's pictures, or an array of pixels")
    if array.dtype.kind == "f":
        array = _as_uint16(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 3 or array.shape[2] != 4 or array.dtype.kind != "u":
        return Photo(as_image(array))
    colours, alpha = split_alpha(np.ascontiguousarray(array))
    if alpha is None:
        return Photo(as_image(colours))
    return Photo(as_image(blend_on_white(colours, alpha)), transparency=as_alpha(alpha))


def _as_uint16(array: NDArray[Any]) -> NDArray[np.uint16]:
    """Return floats 0 … 1 as uint16; raise PictureError for others."""
    if array.size and not (array.min() >= 0 and array.max() <= 1):  # NaN fails, too
        raise PictureError(
            "a picture of floats outside 0 … 1", "scale it to 0 … 1, or give uint8 or uint16"
        )
    scaled: NDArray[np.uint16] = np.rint(array * MAX_UINT16).astype(np.uint16)
    return scaled


def _photo_from_pillow(picture: Pillow.Image, max_pixels: int) -> Photo:
    """Return Pillow's picture as a photo.

    It goes through a file in memory, so that it is read by the rules for all files.
    """
    if not picture.width * picture.height:
        raise PictureError("a picture without pixels", "give one with some")
    suitable = picture if picture.mode in PNG_MODES else picture.convert("RGB")
    file = io.BytesIO()
    exif = picture.getexif().tobytes()
    suitable.save(
        file, "PNG", compress_level=0, icc_profile=picture.info.get("icc_profile"), exif=exif
    )
    return decode_photo(file.getvalue(), "the picture", max_pixels)
