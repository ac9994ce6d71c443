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

# By how much the copy is shrunk and the radius of the window, wide averages first. Larger pictures
# become a copy of about that long side before. Measured on cut-outs with known colours, see
# docs/decisions/0005.
AVERAGING_STEPS = ((16, 5), (4, 5), (1, 5), (1, 1))
COPY_LONG_SIDE = 1000  # pixels
NEAR_COPY_PIXELS = 20  # pixels of the copy around soft alpha that get a colour


def estimate_foreground(image: Image, alpha: Alpha, *, detail: int = COPY_LONG_SIDE) -> Image:
    """Return the subject's own colours, at the picture's size and depth.

    They are the picture itself where alpha is 1; the colours of the near subject where alpha is
    below; black where no subject is near. Larger pictures are averaged on a copy whose long side
    has about `detail` pixels: fewer are quicker, and less exact.
    """
    foreground = np.asarray(cv2.copyTo(image, (alpha == 1).view(np.uint8)), image.dtype)
    scale = max(1, round(max(alpha.shape) / detail))
    reach = max(1, round(NEAR_COPY_PIXELS * detail / COPY_LONG_SIDE))
    box = bounding_box((alpha > 0) & (alpha < 1), margin=reach * scale)
    if box is None:
        return Image(foreground)
    if detail < COPY_LONG_SIDE:
        # Whole squares are averaged several times as fast.
        box = align_slice(box[0], scale, alpha.shape[0]), align_slice(box[1], scale, alpha.shape[1])
    top = np.iinfo(image.dtype).max
    a = alpha[box]
    height, width = a.shape
    small = _shrink(a, scale)
    averages = _average_colours(
        _shrink(image[box], scale).astype(np.float32), small, np.float32(top)
    )
    f, b = (EnlargedColumns(x, height, width) for x in averages)
    near = resize(_soft_surroundings(small, reach), height, width)
    for part in strip_slices(width, height):
        corner = box[0].start, box[1].start + part.start
        _write_strip(foreground, image, alpha, corner, near[:, part] > 0, f[part], b[part])
    return Image(foreground)


def clean_soft_edges(image: Image, alpha: Alpha, *, detail: int = COPY_LONG_SIDE) -> Image:
    """Return the picture with the subject's own colours where alpha is soft.

    Elsewhere it is the picture, also outside the subject: a composite on a background shows no
    more. The colours are those of estimate_foreground(), but for rounding, with a copy of a half, a
    quarter, … of the picture.
    """
    colours = image.copy()
    soft = (alpha > 0) & (alpha < 1)
    scale = 1 << max(0, round(math.log2(max(alpha.shape) / detail)))
    box = bounding_box(
        soft, margin=max(1, round(NEAR_COPY_PIXELS * detail / COPY_LONG_SIDE)) * scale
    )
    if box is None:
        return Image(colours)
    box = align_slice(box[0], scale, alpha.shape[0]), align_slice(box[1], scale, alpha.shape[1])
    top = np.float32(np.iinfo(image.dtype).max)
    size = -(-(box[0].stop - box[0].start) // scale), -(-(box[1].stop - box[1].start) // scale)
    small = resize_by_halving(alpha[box], *size)
    averages = _average_colours(resize_by_halving(image[box], *size).astype(np.float32), small, top)
    pixels = np.flatnonzero(soft)
    y, x = np.divmod(pixels, alpha.shape[1])
    down, across = ((part.stop - part.start) / n for part, n in zip(box, size, strict=True))
    x, y = ((n - part.start).astype(np.float32) for n, part in ((x, box[1]), (y, box[0])))
    positions = positions_in_copy(x, y, across, down)
    f, b = (sample_at(average, positions) for average in averages)
    weights = repeat_per_channel(alpha.reshape(-1).take(pixels))
    estimate, _ = _correct_colours(image.reshape(-1, 3).take(pixels, 0), weights, f, b)
    colours.reshape(-1, 3)[pixels] = _round_colours(estimate, image.dtype)
    return Image(colours)


def _write_strip(
    out: NDArray[Any],
    image: NDArray[Any],
    alpha: FloatArray,
    corner: tuple[int, int],
    near: BoolArray,
    fore: FloatArray,
    back: FloatArray,
) -> None:
    """Write the subject's colours into `out`: where alpha is soft, and where it is 0 but `near`.

    `near`, `fore` and `back` are of the part whose upper left pixel is `corner` (row, column).
    """
    height, width = near.shape
    top, left = corner
    part = slice(top, top + height), slice(left, left + width)
    a = alpha[part]
    beside, soft = near & (a == 0), np.flatnonzero((a > 0) & (a < 1))
    out[part] = cv2.copyTo(_round_colours(fore, out.dtype), beside.view(np.uint8), out[part].copy())
    if not soft.size:
        return
    rows, columns = np.divmod(soft, width)
    pixels = (rows + top) * image.shape[1] + columns + left
    f, b = (np.ascontiguousarray(x).reshape(-1, 3).take(soft, 0) for x in (fore, back))
    weights = repeat_per_channel(alpha.reshape(-1).take(pixels))
    estimate, _ = _correct_colours(image.reshape(-1, 3).take(pixels, 0), weights, f, b)
    out.reshape(-1, 3)[pixels] = _round_colours(estimate, out.dtype)


def _round_colours(colours: FloatArray, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return colours rounded to an integer dtype, within its range."""
    return np.rint(np.clip(colours, 0, np.iinfo(dtype).max)).astype(dtype)


def _average_colours(
    image: FloatArray, alpha: FloatArray, top: np.float32
) -> tuple[FloatArray, FloatArray]:
    """Return F and B around each pixel, averaged ever more narrowly; white is `top`."""
    f = b = fore = back = _shrink(image, AVERAGING_STEPS[0][0])
    for step, (factor, radius) in enumerate(AVERAGING_STEPS):
        picture, opacity = _shrink(image, factor), _shrink(alpha, factor)
        a = repeat_per_channel(opacity).reshape(picture.shape)
        if step > 0:
            wide_f, wide_b = (resize(x, *opacity.shape) for x in (f, b))
            fore, back = _correct_colours(picture, a, wide_f, wide_b)
            np.clip(fore, 0, top, out=fore)
            np.clip(back, 0, top, out=back)
        share = repeat_per_channel(box_mean(opacity, radius)).reshape(picture.shape)
        f = box_mean(fore * a, radius) / (share + np.float32(1e-5))
        b = box_mean(back * (1 - a), radius) / (1 - share + np.float32(1e-5))
    return f, b


def _correct_colours(
    image: NDArray[Any], alpha: FloatArray, fore: FloatArray, back: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return F and B, changed as little as possible so that αF + (1 − α)B is the picture."""
    rest = 1 - alpha
    missing = (image - alpha * fore - rest * back) / (alpha * alpha + rest * rest)
    return fore + alpha * missing, back + rest * missing


def _soft_surroundings(alpha: FloatArray, reach: int) -> NDArray[np.uint8]:
    """Return 1 where alpha is soft and within `reach` pixels of it, else 0."""
    soft = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    side = 2 * reach + 1
    return np.asarray(cv2.dilate(soft, np.ones((side, side), np.uint8)), np.uint8)


def _shrink(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return means over squares of `factor` pixels, the last ones narrower."""
    if factor == 1:
        return values
    height, width = values.shape[:2]
    return resize(values, -(-height // factor), -(-width // factor))
