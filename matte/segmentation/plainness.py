"""Pictures that show nothing: one colour, perhaps with noise."""

import numpy as np

from matte.arrays import Image
from matte.imaging.resizing import resize_by_halving

COPY_SIDE = 32  # pixels: a thousandth of the picture each, over which noise averages out
MIN_RANGE = 10 / 255  # of the colours' range, between the darkest and the lightest of them


def is_plain(image: Image) -> bool:
    """Return whether a picture has one colour everywhere, so that nothing in it can be a subject.

    Networks take such a picture for a subject, or a part of it: they have to see something.
    """
    height, width = (min(side, COPY_SIDE) for side in image.shape[:2])
    small = resize_by_halving(image, height, width).astype(np.float32)
    ranges = small.max(axis=(0, 1)) - small.min(axis=(0, 1))
    return bool(ranges.max() < MIN_RANGE * np.iinfo(image.dtype).max)
