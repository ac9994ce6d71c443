"""Pictures brought to a network's size without squashing them, and its maps brought back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Image
from matte.imaging.scaling import scaled

PADDING = 0.5  # mid grey, what the networks saw around the picture in training


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture at network size: `pixels` (H, W, 3) float32 0…1, of which the first
    `height` rows and `width` columns are the picture and the rest is padding.
    """

    pixels: NDArray[np.float32]
    height: int
    width: int


def letterbox(image: Image, height: int, width: int, multiple: int = 1) -> Letterbox:
    """The picture, scaled to just fit `height` × `width`, padded at the right and bottom.

    With a `multiple`, only up to the next multiple of it; with 1, to the full height × width.
    """
    h, w = fitting_size(image.shape[0], image.shape[1], height, width)
    small = scaled(image, h, w)
    if multiple > 1:
        height, width = -(-h // multiple) * multiple, -(-w // multiple) * multiple
    pixels = np.full((height, width, 3), PADDING, np.float32)
    pixels[:h, :w] = small / np.float32(np.iinfo(image.dtype).max)
    return Letterbox(pixels, h, w)


def fitting_size(high: int, wide: int, height: int, width: int) -> tuple[int, int]:
    """Height and width of a `high` × `wide` picture that just fits into `height` × `width`."""
    scale = min(height / high, width / wide)
    return min(height, max(1, round(high * scale))), min(width, max(1, round(wide * scale)))


def unletterbox(
    values: NDArray[np.float32], box: Letterbox, height: int, width: int
) -> NDArray[np.float32]:
    """The network's (H, W) map for a letterboxed picture, without padding, at the given size."""
    return scaled(np.ascontiguousarray(values[: box.height, : box.width]), height, width)
