"""The sizes of batches."""

from collections.abc import Sequence

import numpy as np

MULTIPLE = 32


def draw_batch_size(
    sizes: Sequence[int], part: float, aspects: float, random: np.random.Generator
) -> tuple[int, int]:
    """Draw the height and width of a batch when a `part` of the run (0 … 1) is over.

    `sizes` take turns for equal parts. `aspects` is the largest ratio of the sides; whatever the
    ratio, the area stays about that of the square. Multiples of 32.
    """
    size = sizes[min(int(part * len(sizes)), len(sizes) - 1)]
    stretch = aspects ** (random.uniform(-1, 1) / 2)
    height, width = (
        MULTIPLE * max(1, round(s / MULTIPLE)) for s in (size * stretch, size / stretch)
    )
    return height, width
