"""Background pictures fitted to the size of the photo or frame."""

from fractions import Fraction
from typing import Literal, get_args

import cv2
import numpy as np

from matte.arrays import Alpha, Image
from matte.compositing.defocus import defocus_background
from matte.configs.lengths import Length
from matte.imaging.resizing import resize

Fit = Literal["cover", "contain", "stretch", "tile"]
FITS: tuple[Fit, ...] = get_args(Fit)
Position = tuple[float, float]  # shares across and down: (0, 0) shows the left upper corner
MIDDLE: Position = (0.5, 0.5)
CONTAIN_BLUR_RADIUS = Length(4, percent=True)  # of what fills the sides of a contained picture


def fit_background(
    picture: Image,
    height: int,
    width: int,
    fit: Fit,
    quick: bool = False,
    position: Position = MIDDLE,
) -> Image:
    """Return the picture at height × width, cropped, framed, squashed or repeated as `fit` says.

    `fit` is one of FITS; the picture's depth stays. `quick`, here and below, is for video frames:
    faster and nearly as good. `position` says which part stays of a picture that is cropped, and
    where one lies that is framed.
    """
    if fit == "tile":
        return tile(picture, height, width)
    if fit == "stretch":
        return stretch(picture, height, width, quick)
    placed = {"cover": cover, "contain": contain}[fit]
    return placed(picture, height, width, quick, position)


def cover(
    picture: Image, height: int, width: int, quick: bool = False, position: Position = MIDDLE
) -> Image:
    """Return the largest part with the aspect of height × width, scaled to that size."""
    rows, columns = picture.shape[:2]
    h = min(rows, max(1, round(columns * height / width)))
    w = min(columns, max(1, round(rows * width / height)))
    top, left = int((rows - h) * position[1]), int((columns - w) * position[0])
    return stretch(Image(picture[top : top + h, left : left + w]), height, width, quick)


def contain(
    picture: Image, height: int, width: int, quick: bool = False, position: Position = MIDDLE
) -> Image:
    """Return the whole picture, on a blurred copy of itself that covers the sides."""
    rows, columns = picture.shape[:2]
    scale = min(height / rows, width / columns)
    h = min(height, max(1, round(rows * scale)))
    w = min(width, max(1, round(columns * scale)))
    if (h, w) == (height, width):
        return stretch(picture, height, width, quick)
    no_subject = Alpha(np.zeros((height, width), np.float32))
    radius = CONTAIN_BLUR_RADIUS.pixels(max(height, width))
    out = defocus_background(cover(picture, height, width, quick), no_subject, radius, quick)
    top, left = int((height - h) * position[1]), int((width - w) * position[0])
    out[top : top + h, left : left + w] = stretch(picture, h, w, quick)
    return out


def stretch(picture: Image, height: int, width: int, quick: bool = False) -> Image:
    """Return the whole picture at height × width, squashed if the aspects differ."""
    rows, columns = picture.shape[:2]
    if quick and rows < 2 * height and columns < 2 * width:  # hardly a pixel is passed over
        return Image(np.asarray(cv2.resize(picture, (width, height)), picture.dtype))
    return Image(resize(picture, height, width))


def tile(picture: Image, height: int, width: int) -> Image:
    """Return height × width covered with the unscaled picture, repeated from the top left."""
    rows, columns = picture.shape[:2]
    row = np.take(picture, np.arange(width) % columns, axis=1) if columns != width else picture
    return Image(np.take(row[:height], np.arange(height) % rows, axis=0))


def widen_pixels(picture: Image, factor: Fraction) -> Image:
    """Return the picture with `factor` times its columns: pixels that are not square made so."""
    if factor == 1:
        return picture
    rows, columns = picture.shape[:2]
    return Image(resize(picture, rows, max(1, round(columns * factor))))
