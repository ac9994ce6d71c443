"""The places where a picture shows more detail than a small copy of it would."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, FloatArray, Image, Trimap

# Measured on drawn strands and on enlarged portraits, docs/decisions/0020.
CELL = 8  # pixels on each side of a cell
NOISE_WINDOW, DETAIL_WINDOW = 3, 9  # pixels on each side: noise and detail are finer than these
MIN_DETAIL_PER_CONTRAST = 0.45  # of a cell that is in focus
MIN_DETAIL_PER_NOISE = 2.0  # noise is the detail in the plainest tenth of the picture's cells
MIN_NOISE = 0.3  # of 255 levels
BLOCK = 512  # pixels on each side of the blocks that are worked on at once

Cells = NDArray[np.bool_]  # (⌈H / CELL⌉, ⌈W / CELL⌉)


def detail_cells(image: Image, trimap: Trimap) -> Cells:
    """Return the cells near unknown pixels that a copy of a third of the size would blur.

    Detail is the difference between means over a narrow and a wide window. An edge that is itself
    out of focus, or enlarged, has little of it for its contrast, and plain noise little at all.
    """
    height, width = trimap.shape
    shape = -(-height // CELL), -(-width // CELL)
    fine, level, square, seen = (np.zeros(shape, np.float32) for _ in range(4))
    for top in range(0, height, BLOCK):
        for left in range(0, width, BLOCK):
            block = slice(top, top + BLOCK), slice(left, left + BLOCK)
            if not (trimap[block] == UNKNOWN).any():
                continue
            at = tuple(slice(s.start // CELL, s.stop // CELL) for s in block)
            grey, detail = _grey_and_detail(image, top, left)
            fine[at], level[at] = _cell_means(detail * detail), _cell_means(grey)
            square[at], seen[at] = _cell_means(grey * grey), 1
    if not seen.any():
        return seen > 0
    fine = np.sqrt(fine)
    near = np.maximum(_neighbour_mean(seen), np.float32(1e-6))
    mean = _neighbour_mean(level) / near
    contrast = np.sqrt(np.maximum(_neighbour_mean(square) / near - mean * mean, 0))
    noise = max(MIN_NOISE, float(np.percentile(fine[seen > 0], 10)))
    return (fine > MIN_DETAIL_PER_NOISE * noise) & (fine > MIN_DETAIL_PER_CONTRAST * contrast)


def _grey_and_detail(image: Image, top: int, left: int) -> tuple[FloatArray, FloatArray]:
    """Return a block of the picture in grey, 0 … 255, and the detail in it."""
    reach = DETAIL_WINDOW // 2
    above, before = min(top, reach), min(left, reach)
    rows = slice(top - above, top + BLOCK + reach)
    columns = slice(left - before, left + BLOCK + reach)
    part = np.ascontiguousarray(image[rows, columns])
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey *= np.float32(255 / np.iinfo(image.dtype).max)
    detail = cv2.blur(grey, (NOISE_WINDOW, NOISE_WINDOW)) - cv2.blur(
        grey, (DETAIL_WINDOW, DETAIL_WINDOW)
    )
    inner = slice(above, above + BLOCK), slice(before, before + BLOCK)
    return np.asarray(grey[inner]), np.asarray(detail[inner])


def _cell_means(values: FloatArray) -> FloatArray:
    """Return the mean of each cell; cells at the border are filled up by mirroring."""
    below, right = (-length % CELL for length in values.shape)
    full = cv2.copyMakeBorder(values, 0, below, 0, right, cv2.BORDER_REFLECT)
    height, width = full.shape
    size = width // CELL, height // CELL
    return np.asarray(cv2.resize(full, size, interpolation=cv2.INTER_AREA), np.float32)


def _neighbour_mean(values: FloatArray) -> FloatArray:
    """Return the mean over each cell and its neighbours."""
    return np.asarray(cv2.blur(values, (3, 3)), np.float32)
