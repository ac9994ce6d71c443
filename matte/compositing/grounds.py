"""Pictures made to lie behind a subject: brought to its size, or out of focus."""

from collections.abc import Callable, Iterator
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, FloatArray, Image, as_alpha, as_image, same_size
from matte.compositing.backgrounds import BLURRED
from matte.compositing.light import to_light, to_values
from matte.configs.lengths import Length
from matte.imaging.bit_depth import convert_depth
from matte.imaging.gap_filling import fill_gaps
from matte.imaging.resizing import resize
from matte.imaging.strips import resize_strips, strip_slices

Fit = Literal["cover", "contain", "stretch", "tile"]
FITS: tuple[Fit, ...] = get_args(Fit)

FINE = 5  # pixels of radius that a blurred disc has at least, where it is drawn
FRAME = Length(4, percent=True)  # the blur around a contained picture
SURE = 0.02  # alpha up to which a quick blur takes a pixel for ground
EDGE = 0.003  # of the long side: how far from the subject the ground is surely itself


def fitted(picture: Image, height: int, width: int, fit: Fit, quick: bool = False) -> Image:
    """The picture at height × width, as `fit` says: one of FITS.

    What is `quick`, here and below, is for frames of video: faster and nearly as good.
    """
    if fit == "tile":
        return tile(picture, height, width)
    ways: dict[Fit, Callable[[Image, int, int, bool], Image]] = {
        "cover": cover,
        "contain": contain,
        "stretch": stretch,
    }
    return ways[fit](picture, height, width, quick)


def cover(picture: Image, height: int, width: int, quick: bool = False) -> Image:
    """The middle of the picture that has the shape of height × width, scaled to that size."""
    rows, columns = picture.shape[:2]
    h = min(rows, max(1, round(columns * height / width)))
    w = min(columns, max(1, round(rows * width / height)))
    top, left = (rows - h) // 2, (columns - w) // 2
    return stretch(Image(picture[top : top + h, left : left + w]), height, width, quick)


def contain(picture: Image, height: int, width: int, quick: bool = False) -> Image:
    """The whole picture in the middle; what it leaves open is itself, covering and blurred."""
    rows, columns = picture.shape[:2]
    scale = min(height / rows, width / columns)
    h = min(height, max(1, round(rows * scale)))
    w = min(width, max(1, round(columns * scale)))
    if (h, w) == (height, width):
        return stretch(picture, height, width, quick)
    nothing = Alpha(np.zeros((height, width), np.float32))
    covering, radius = cover(picture, height, width, quick), FRAME.pixels(max(height, width))
    out = out_of_focus(covering, nothing, radius, quick)
    top, left = (height - h) // 2, (width - w) // 2
    out[top : top + h, left : left + w] = stretch(picture, h, w, quick)
    return out


def stretch(picture: Image, height: int, width: int, quick: bool = False) -> Image:
    """The whole picture, squashed if need be."""
    rows, columns = picture.shape[:2]
    if quick and rows < 2 * height and columns < 2 * width:  # hardly a pixel is passed over
        return Image(np.asarray(cv2.resize(picture, (width, height)), picture.dtype))
    return Image(resize(picture, height, width))


def tile(picture: Image, height: int, width: int) -> Image:
    """The picture at its own size, again and again from the top left."""
    rows, columns = picture.shape[:2]
    row = np.take(picture, np.arange(width) % columns, axis=1) if columns != width else picture
    return Image(np.take(row[:height], np.arange(height) % rows, axis=0))


def blurred_ground(
    image: NDArray[np.uint8 | np.uint16], alpha: NDArray[np.float32], radius: Length = BLURRED
) -> Image:
    """The photo without its subject, out of focus: what composite() can put it on.

    `image` (H, W, 3) RGB and its `alpha` (H, W); `radius` is that of the disc that a point of light
    becomes. Under the subject the ground is filled from around it.
    """
    picture, a = as_image(image), as_alpha(alpha)
    same_size(("image", picture), ("alpha", a))
    return out_of_focus(picture, a, radius.pixels(max(a.shape)))


def out_of_focus(image: Image, alpha: Alpha, radius: float, quick: bool = False) -> Image:
    """As `blurred_ground`, of arrays that are checked, the radius in pixels."""
    height, width = alpha.shape
    # A disc hides what is finer than a part of it, so it is drawn on a smaller picture.
    factor = max(1, int(radius / FINE))
    h, w = -(-height // factor), -(-width // factor)
    found = _light_of_ground(image, alpha, h, w) if quick else None
    if found is None:
        found = resize_strips(_weighted_light(image, alpha), h, w)
    trust = np.clip(found[:, :, 3], 0, 1)
    known = np.asarray(found[:, :, :3] / np.maximum(trust, 1e-6)[:, :, None], np.float32)
    light = fill_gaps(known, trust) if trust.min() < 1 else known
    blurred = cv2.filter2D(light, -1, _disc(radius / factor), borderType=cv2.BORDER_REFLECT)
    # 16 bits on the way keep a smooth sky smooth.
    values = to_values(np.asarray(blurred, np.float32), np.dtype(np.uint16))
    grown = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
    return Image(convert_depth(np.asarray(grown), image.dtype))


def _light_of_ground(image: Image, alpha: Alpha, height: int, width: int) -> FloatArray | None:
    """As `_weighted_light`, shrunk, but weighted by yes or no; None where nothing is sure."""
    sure = cv2.erode((alpha <= SURE).view(np.uint8), _around_subject(alpha))
    if not sure.any():
        return None
    weight = resize(sure.astype(np.float32), height, width)
    colours = np.asarray(cv2.copyTo(image, sure), image.dtype)
    light = resize_strips(
        (to_light(colours[part]) for part in strip_slices(*alpha.shape)), height, width
    )
    return np.dstack([light, weight])


def _weighted_light(image: Image, alpha: Alpha) -> Iterator[FloatArray]:
    """Rows of light times how surely it is the ground's, and of that weight.

    It is 1 − alpha, and less beside the subject, whose colours are there more than alpha says.
    """
    highest = cv2.dilate(alpha, _around_subject(alpha))
    for part in strip_slices(*alpha.shape):
        # Where nothing else is known, what there is counts.
        sure, left = (1 - highest[part]) ** 2, np.float32(1e-4) * (1 - alpha[part])
        weight = np.maximum(sure, left)
        channels = (np.asarray(channel, image.dtype) for channel in cv2.split(image[part]))
        light = (to_light(channel) * weight for channel in channels)
        yield np.asarray(cv2.merge([*light, weight]), np.float32)


def _around_subject(alpha: Alpha) -> NDArray[np.uint8]:
    side = 2 * max(1, round(EDGE * max(alpha.shape))) + 1
    return np.ones((side, side), np.uint8)


def _disc(radius: float) -> FloatArray:
    """A disc with a soft edge, its sum 1."""
    reach = int(np.ceil(radius + 0.5))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(y, x), 0, 1)
    return np.asarray(disc / disc.sum(), np.float32)
