"""A photo's own background out of focus, without its subject."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, FloatArray, Image
from matte.imaging.bit_depth import convert_depth
from matte.imaging.gap_filling import fill_gaps
from matte.imaging.light import Curve, to_light, to_values
from matte.imaging.resizing import resize
from matte.imaging.strips import resize_strips, strip_slices

MIN_DISC_RADIUS = 5  # pixels of a blurred disc, on the smaller picture where it is drawn
MAX_BACKGROUND_ALPHA = 0.02  # up to which a quick blur takes a pixel for background
SUBJECT_MARGIN = 0.003  # of the long side: how far the subject's colours reach beyond its alpha


def defocus_background(
    image: Image, alpha: Alpha, radius: float, quick: bool = False, curve: Curve = "srgb"
) -> Image:
    """Return the photo without its subject, out of focus, in its size and depth.

    `image` (H, W, 3) RGB and its `alpha` (H, W); `radius` in pixels is that of the disc that a
    point of light becomes. Under the subject the background is filled from around it. `quick` is
    for frames of video: faster and nearly as good. `curve` says what stored values are as light.
    """
    height, width = alpha.shape
    # A disc hides what is finer than a part of it, so it is drawn on a smaller picture.
    factor = max(1, int(radius / MIN_DISC_RADIUS))
    h, w = -(-height // factor), -(-width // factor)
    sums = _background_light(image, alpha, h, w, curve) if quick else None
    if sums is None:
        sums = resize_strips(_weighted_light(image, alpha, curve), h, w)
    weight = np.clip(sums[:, :, 3], 0, 1)
    known = np.asarray(sums[:, :, :3] / np.maximum(weight, 1e-6)[:, :, None], np.float32)
    light = fill_gaps(known, weight) if weight.min() < 1 else known
    blurred = cv2.filter2D(light, -1, _disc_kernel(radius / factor), borderType=cv2.BORDER_REFLECT)
    # 16 bits on the way keep a smooth sky smooth.
    values = to_values(np.asarray(blurred, np.float32), np.dtype(np.uint16), curve)
    grown = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
    return Image(convert_depth(np.asarray(grown), image.dtype))


def _background_light(
    image: Image, alpha: Alpha, height: int, width: int, curve: Curve
) -> FloatArray | None:
    """Return `_weighted_light` shrunk to height × width, but with weights of 0 or 1 only.

    None if no pixel is surely background.
    """
    sure = cv2.erode((alpha <= MAX_BACKGROUND_ALPHA).view(np.uint8), _subject_margin(alpha))
    if not sure.any():
        return None
    weight = resize(sure.astype(np.float32), height, width)
    colours = np.asarray(cv2.copyTo(image, sure), image.dtype)
    light = resize_strips(
        (to_light(colours[part], curve) for part in strip_slices(*alpha.shape)), height, width
    )
    return np.dstack([light, weight])


def _weighted_light(image: Image, alpha: Alpha, curve: Curve) -> Iterator[FloatArray]:
    """Yield strips of rows (h, W, 4): light times the background's weight, and the weight itself.

    The weight is (1 − alpha)², with the highest alpha around, for beside the subject its colours
    reach further than alpha says.
    """
    highest = cv2.dilate(alpha, _subject_margin(alpha))
    for part in strip_slices(*alpha.shape):
        # Where no pixel around is surely background, the unsure ones count.
        sure, unsure = (1 - highest[part]) ** 2, np.float32(1e-4) * (1 - alpha[part])
        weight = np.maximum(sure, unsure)
        channels = (np.asarray(channel, image.dtype) for channel in cv2.split(image[part]))
        light = (to_light(channel, curve) * weight for channel in channels)
        yield np.asarray(cv2.merge([*light, weight]), np.float32)


def _subject_margin(alpha: Alpha) -> NDArray[np.uint8]:
    """Return the square of ones by which the subject is dilated, or what is around it eroded."""
    side = 2 * max(1, round(SUBJECT_MARGIN * max(alpha.shape))) + 1
    return np.ones((side, side), np.uint8)


def _disc_kernel(radius: float) -> FloatArray:
    """Return the blur's kernel: a disc with a soft edge, whose sum is 1."""
    reach = int(np.ceil(radius + 0.5))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(y, x), 0, 1)
    return np.asarray(disc / disc.sum(), np.float32)
