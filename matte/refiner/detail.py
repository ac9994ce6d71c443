"""Where a picture shows more than a small copy of it would."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, FloatArray, Image, Trimap

# Measured on drawn strands and on enlarged portraits, docs/decisions/0020.
CELL = 8  # pixels on each side of what is judged at once
GRAIN, DETAIL = 3, 9  # sides of windows: noise is finer than the one, detail than the other
SHARP = 0.45  # of a cell's contrast is detail: in focus
NOISE = 2.0  # times as much detail as in the plainest tenth of the picture's cells
LEAST = 0.3  # of 255 levels: as little as the plainest cells ever count
BLOCK = 512  # pixels on each side of what is looked at together

Cells = NDArray[np.bool_]  # (⌈H / CELL⌉, ⌈W / CELL⌉)


def detailed(image: Image, trimap: Trimap) -> Cells:
    """The cells, near what is unknown, that a copy of a third of the size would blur.

    Detail is what a narrow window still shows and a wide one doesn't. An edge that is itself out
    of focus, or enlarged, has little of it for its contrast, and plain noise little altogether.
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
            fine[at], level[at] = _cells(detail * detail), _cells(grey)
            square[at], seen[at] = _cells(grey * grey), 1
    if not seen.any():
        return seen > 0
    fine = np.sqrt(fine)
    near = np.maximum(_around(seen), np.float32(1e-6))
    mean = _around(level) / near
    contrast = np.sqrt(np.maximum(_around(square) / near - mean * mean, 0))
    noise = max(LEAST, float(np.percentile(fine[seen > 0], 10)))
    return (fine > NOISE * noise) & (fine > SHARP * contrast)


def _grey_and_detail(image: Image, top: int, left: int) -> tuple[FloatArray, FloatArray]:
    """A block of the picture in grey, 0 … 255, and what its finest structures add to it."""
    reach = DETAIL // 2
    above, before = min(top, reach), min(left, reach)
    rows = slice(top - above, top + BLOCK + reach)
    columns = slice(left - before, left + BLOCK + reach)
    part = np.ascontiguousarray(image[rows, columns])
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey *= np.float32(255 / np.iinfo(image.dtype).max)
    detail = cv2.blur(grey, (GRAIN, GRAIN)) - cv2.blur(grey, (DETAIL, DETAIL))
    inner = slice(above, above + BLOCK), slice(before, before + BLOCK)
    return np.asarray(grey[inner]), np.asarray(detail[inner])


def _cells(values: FloatArray) -> FloatArray:
    """The mean of each cell; cells at the border are filled up by mirroring."""
    below, right = (-length % CELL for length in values.shape)
    full = cv2.copyMakeBorder(values, 0, below, 0, right, cv2.BORDER_REFLECT)
    height, width = full.shape
    size = width // CELL, height // CELL
    return np.asarray(cv2.resize(full, size, interpolation=cv2.INTER_AREA), np.float32)


def _around(values: FloatArray) -> FloatArray:
    return np.asarray(cv2.blur(values, (3, 3)), np.float32)
