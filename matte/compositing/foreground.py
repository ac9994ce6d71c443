"""The subject's own colours, cleaned of the old background that shines through its edge.

After M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021: F and B are averages of
the picture weighted by alpha and 1 − alpha, then take on what the two leave unexplained.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray, FloatArray, Image
from matte.imaging.box_filter import box_mean
from matte.imaging.channels import repeat_per_channel
from matte.imaging.regions import align_slice, bounding_box
from matte.imaging.resizing import resize, resize_by_halving
from matte.imaging.sampling import positions_in_copy, sample_at
from matte.imaging.strips import EnlargedColumns, strip_slices

# By how much the picture is shrunk and the radius of the window, wide views first, for a picture of
# 1000 pixels; larger ones are shrunk to about that size before. Measured on cut-outs with known
# colours, see docs/decisions/0005.
VIEWS = ((16, 5), (4, 5), (1, 5), (1, 1))
DETAIL = 1000
NEAR = 20  # pixels of those 1000 around soft alpha that get a colour


def estimate_foreground(image: Image, alpha: Alpha, *, detail: int = DETAIL) -> Image:
    """The subject's colours, at the picture's size and depth.

    The picture itself where alpha is 1; the colours of the near subject where alpha is below;
    black where no subject is near. Larger pictures are shrunk to about `detail` pixels for the
    averages: fewer are quicker, and less exact.
    """
    foreground = np.asarray(cv2.copyTo(image, (alpha == 1).view(np.uint8)), image.dtype)
    scale = max(1, round(max(alpha.shape) / detail))
    reach = max(1, round(NEAR * detail / DETAIL))
    box = bounding_box((alpha > 0) & (alpha < 1), margin=reach * scale)
    if box is None:
        return Image(foreground)
    if detail < DETAIL:
        # Whole squares are averaged several times as fast.
        box = align_slice(box[0], scale, alpha.shape[0]), align_slice(box[1], scale, alpha.shape[1])
    top = np.iinfo(image.dtype).max
    a = alpha[box]
    height, width = a.shape
    small = _shrunk(a, scale)
    averages = _averages(_shrunk(image[box], scale).astype(np.float32), small, np.float32(top))
    f, b = (EnlargedColumns(x, height, width) for x in averages)
    near = resize(_around(small, reach), height, width)
    for part in strip_slices(width, height):
        first = box[0].start, box[1].start + part.start
        _estimate(foreground, image, alpha, first, near[:, part] > 0, f[part], b[part])
    return Image(foreground)


def soft_colours(image: Image, alpha: Alpha, *, detail: int = DETAIL) -> Image:
    """The picture, with the subject's own colours where alpha is soft: all that a composite on a
    background shows. As estimate_foreground() has them, but for rounding, with the next detail that
    is a half, a quarter, … of the picture's.
    """
    colours = image.copy()
    soft = (alpha > 0) & (alpha < 1)
    scale = 1 << max(0, round(math.log2(max(alpha.shape) / detail)))
    box = bounding_box(soft, margin=max(1, round(NEAR * detail / DETAIL)) * scale)
    if box is None:
        return Image(colours)
    box = align_slice(box[0], scale, alpha.shape[0]), align_slice(box[1], scale, alpha.shape[1])
    top = np.float32(np.iinfo(image.dtype).max)
    few = -(-(box[0].stop - box[0].start) // scale), -(-(box[1].stop - box[1].start) // scale)
    small = resize_by_halving(alpha[box], *few)
    averages = _averages(resize_by_halving(image[box], *few).astype(np.float32), small, top)
    at = np.flatnonzero(soft)
    y, x = np.divmod(at, alpha.shape[1])
    down, across = ((part.stop - part.start) / n for part, n in zip(box, few, strict=True))
    places = positions_in_copy(_floats(x - box[1].start), _floats(y - box[0].start), across, down)
    f, b = (sample_at(average, places) for average in averages)
    seen = image.reshape(-1, 3).take(at, 0)
    estimate, _ = _explained(seen, repeat_per_channel(alpha.reshape(-1).take(at)), f, b)
    colours.reshape(-1, 3)[at] = _rounded(estimate, image.dtype)
    return Image(colours)


def _floats(numbers: NDArray[Any]) -> FloatArray:
    return numbers.astype(np.float32)


def _estimate(
    out: NDArray[Any],
    image: NDArray[Any],
    alpha: FloatArray,
    first: tuple[int, int],
    near: BoolArray,
    fore: FloatArray,
    back: FloatArray,
) -> None:
    """Puts the subject's colours into `out`: where alpha is soft, and where it is 0 but `near`.

    `near`, `fore` and `back` are of the part that begins at the row and column `first`.
    """
    height, width = near.shape
    top, left = first
    part = slice(top, top + height), slice(left, left + width)
    a = alpha[part]
    beside, soft = near & (a == 0), np.flatnonzero((a > 0) & (a < 1))
    out[part] = cv2.copyTo(_rounded(fore, out.dtype), beside.view(np.uint8), out[part].copy())
    if not soft.size:
        return
    rows, columns = np.divmod(soft, width)
    at = (rows + top) * image.shape[1] + columns + left
    f, b = (np.ascontiguousarray(x).reshape(-1, 3).take(soft, 0) for x in (fore, back))
    share = repeat_per_channel(alpha.reshape(-1).take(at))
    estimate, _ = _explained(image.reshape(-1, 3).take(at, 0), share, f, b)
    out.reshape(-1, 3)[at] = _rounded(estimate, out.dtype)


def _rounded(colours: FloatArray, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.rint(np.clip(colours, 0, np.iinfo(dtype).max)).astype(dtype)


def _averages(
    image: FloatArray, alpha: FloatArray, top: np.float32
) -> tuple[FloatArray, FloatArray]:
    """F and B around each pixel, from ever narrower views; the picture reaches to `top`."""
    f = b = fore = back = _shrunk(image, VIEWS[0][0])
    for turn, (factor, radius) in enumerate(VIEWS):
        seen, opacity = _shrunk(image, factor), _shrunk(alpha, factor)
        a = opacity[:, :, None]
        if turn > 0:
            fore, back = _explained(seen, a, _at_size(f, opacity), _at_size(b, opacity))
            np.clip(fore, 0, top, out=fore)
            np.clip(back, 0, top, out=back)
        share = box_mean(opacity, radius)[:, :, None]
        f = box_mean(fore * a, radius) / (share + np.float32(1e-5))
        b = box_mean(back * (1 - a), radius) / (1 - share + np.float32(1e-5))
    return f, b


def _explained(
    image: NDArray[Any], alpha: FloatArray, fore: FloatArray, back: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """F and B, changed as little as makes αF + (1 − α)B the picture."""
    rest = 1 - alpha
    missing = (image - alpha * fore - rest * back) / (alpha * alpha + rest * rest)
    return fore + alpha * missing, back + rest * missing


def _around(alpha: FloatArray, reach: int) -> NDArray[np.uint8]:
    """1 where alpha is soft, and so many pixels around."""
    soft = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    side = 2 * reach + 1
    return np.asarray(cv2.dilate(soft, np.ones((side, side), np.uint8)), np.uint8)


def _shrunk(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Means over squares of `factor` pixels, the last ones narrower."""
    height, width = values.shape[:2]
    return resize(values, -(-height // factor), -(-width // factor))


def _at_size(values: FloatArray, like: NDArray[Any]) -> FloatArray:
    """The values between which there are fewer, at the height and width of `like`."""
    return resize(values, *like.shape[:2])
