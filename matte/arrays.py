"""The arrays that travel between the stages, and the only checks on them.

Code inside the package trusts these types; whatever comes from files, networks or callers passes
through the `as_*` function of its type once.
"""

from typing import Any, NewType

import numpy as np
from numpy.typing import NDArray

from matte.errors import PictureError

Image = NewType("Image", NDArray[np.uint8 | np.uint16])  # (H, W, 3) RGB, full range
Confidence = NewType("Confidence", NDArray[np.float32])  # (H, W): 0 surely not … 1 surely subject
Mask = NewType("Mask", NDArray[np.uint8])  # (H, W): 0 background, 255 subject
Trimap = NewType("Trimap", NDArray[np.uint8])  # (H, W): 0 background, 128 unknown, 255 subject
Alpha = NewType("Alpha", NDArray[np.float32])  # (H, W): 0 background … 1 subject

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
Uint8Array = NDArray[np.uint8]

BACKGROUND, UNKNOWN, SUBJECT = 0, 128, 255


def as_image(array: Any) -> Image:
    """Check a picture and return it as RGB (H, W, 3), uint8 or uint16; grey (H, W) is tripled."""
    a = _native_byte_order(array)
    if a.dtype not in (np.uint8, np.uint16):
        raise PictureError(f"a picture of {a.dtype}", "give uint8 or uint16")
    if a.ndim == 2:
        a = np.repeat(a[:, :, None], 3, axis=2)
    if a.ndim != 3 or a.shape[2] != 3:
        raise PictureError(f"a picture of shape {a.shape}", "give (height, width, 3) in RGB order")
    _refuse_empty(a, "a picture")
    return Image(a)


def as_mask(array: Any) -> Mask:
    """Check a mask and return it as 0 and 255: bool, or uint8/uint16 thresholded at one half."""
    a = _as_flat_array(array, "a mask")
    if a.dtype == np.bool_:
        subject = a
    elif a.dtype in (np.uint8, np.uint16):
        subject = a > np.iinfo(a.dtype).max // 2
    else:
        raise PictureError(f"a mask of {a.dtype}", "give bool, uint8 or uint16")
    return Mask(np.where(subject, SUBJECT, BACKGROUND).astype(np.uint8))


def as_trimap(array: Any) -> Trimap:
    """Check a trimap and return it as 0, 128, 255: background below 85, subject from 170 on."""
    a = _as_flat_array(array, "a trimap")
    if a.dtype == np.uint16:
        a = (a // 257).astype(np.uint8)
    if a.dtype != np.uint8:
        raise PictureError(f"a trimap of {a.dtype}", "give uint8 with 0, 128 and 255")
    trimap = np.full(a.shape, UNKNOWN, np.uint8)
    trimap[a < 85] = BACKGROUND
    trimap[a >= 170] = SUBJECT
    return Trimap(trimap)


def as_alpha(array: Any) -> Alpha:
    """Check an alpha and return it as float32 0 … 1; integers are scaled from their full range."""
    a = _as_flat_array(array, "an alpha")
    if a.dtype in (np.uint8, np.uint16):
        return Alpha(a.astype(np.float32) / np.float32(np.iinfo(a.dtype).max))
    if a.dtype == np.bool_:
        return Alpha(a.astype(np.float32))
    if not np.issubdtype(a.dtype, np.floating):
        raise PictureError(f"an alpha of {a.dtype}", "give float32 in 0 … 1, or uint8, or uint16")
    # The comparison is phrased so that NaN fails it.
    if not (a.min() >= -1e-4 and a.max() <= 1 + 1e-4):
        raise PictureError("an alpha with values outside 0 … 1", "scale it to 0 … 1")
    return Alpha(np.clip(a, 0, 1).astype(np.float32, copy=False))


def same_size(*named: tuple[str, NDArray[Any]]) -> None:
    """Raise PictureError unless all the arrays, each with its name, have one height and width."""
    first_name, first = named[0]
    for name, array in named[1:]:
        if array.shape[:2] != first.shape[:2]:
            raise PictureError(
                f"the {name} is {array.shape[1]}×{array.shape[0]},"
                f" the {first_name} {first.shape[1]}×{first.shape[0]}",
                "give both at one size",
            )


def _native_byte_order(array: Any) -> NDArray[Any]:
    """Return an array whose numbers have this machine's byte order."""
    a = np.asarray(array)
    return a if a.dtype.isnative else a.astype(a.dtype.newbyteorder("="))


def _as_flat_array(array: Any, name: str) -> NDArray[Any]:
    """Return an array as (H, W); raise PictureError for other shapes, or for no pixels."""
    a = _native_byte_order(array)
    if a.ndim == 3 and a.shape[2] == 1:
        a = a[:, :, 0]
    if a.ndim != 2:
        raise PictureError(f"{name} of shape {a.shape}", "give (height, width)")
    _refuse_empty(a, name)
    return a


def _refuse_empty(a: NDArray[Any], name: str) -> None:
    """Raise PictureError if the array has no pixels."""
    if a.size == 0:
        raise PictureError(f"{name} without pixels", "give at least one")
