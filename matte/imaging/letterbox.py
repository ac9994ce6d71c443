"""Pictures brought to a network's size without squashing them, and its maps brought back."""

from dataclasses import dataclass

import numpy as np

from matte.arrays import FloatArray, Image
from matte.imaging.resizing import Resize, resize

PADDING_GREY = 0.5  # what the networks saw around the picture in training


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture at a network's size, with padding at its right and bottom.

    `pixels` are RGB (H, W, 3), float32, 0 … 1. The first `height` rows and `width` columns are the
    picture, the rest is padding.
    """

    pixels: FloatArray
    height: int
    width: int


def letterbox(
    image: Image, height: int, width: int, multiple: int = 1, resizer: Resize = resize
) -> Letterbox:
    """Return the picture, resized to just fit into `height` × `width`, and padded.

    With a `multiple`, it is padded only up to the next multiple of it; with 1, to height × width.
    """
    h, w = largest_fitting_size(image.shape[0], image.shape[1], height, width)
    small = resizer(image, h, w)
    if multiple > 1:
        height, width = -(-h // multiple) * multiple, -(-w // multiple) * multiple
    pixels = np.full((height, width, 3), PADDING_GREY, np.float32)
    pixels[:h, :w] = small / np.float32(np.iinfo(image.dtype).max)
    return Letterbox(pixels, h, w)


def largest_fitting_size(
    picture_height: int, picture_width: int, height: int, width: int
) -> tuple[int, int]:
    """Return height and width of a picture that is resized to just fit into `height` × `width`."""
    scale = min(height / picture_height, width / picture_width)
    return (
        min(height, max(1, round(picture_height * scale))),
        min(width, max(1, round(picture_width * scale))),
    )


def unletterbox(values: FloatArray, box: Letterbox, height: int, width: int) -> FloatArray:
    """Return a network's map (H, W) of a letterboxed picture, without padding, resized.

    `height` and `width` are those of the result: of the picture before it was letterboxed.
    """
    return resize(np.ascontiguousarray(values[: box.height, : box.width]), height, width)
