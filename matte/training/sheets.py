"""Sheets of sample pictures, to watch a run by."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

ROW_HEIGHT_PIXELS = 160  # of each row
GAP_PIXELS = 4


def stack_rows(rows: Sequence[Sequence[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Stack rows of pictures (H, W, 3) or grey maps (H, W) into one picture on grey."""
    strips = []
    for row in rows:
        cells = [_sheet_cell(picture) for picture in row]
        strips.append(
            np.concatenate([c for cell in cells for c in (cell, _gap_beside(cell))], axis=1)
        )
    width = max((s.shape[1] for s in strips), default=1)
    padded = [
        cv2.copyMakeBorder(
            s, 0, GAP_PIXELS, 0, width - s.shape[1], cv2.BORDER_CONSTANT, value=(96, 96, 96)
        )
        for s in strips
    ]
    return np.concatenate(padded).astype(np.uint8) if padded else np.zeros((1, 1, 3), np.uint8)


def _sheet_cell(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture or a grey map as (ROW_HEIGHT_PIXELS, W, 3) uint8."""
    colours = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    width = max(1, round(picture.shape[1] * ROW_HEIGHT_PIXELS / picture.shape[0]))
    return np.asarray(
        cv2.resize(colours, (width, ROW_HEIGHT_PIXELS), interpolation=cv2.INTER_AREA), np.uint8
    )


def _gap_beside(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey strip that is drawn to the right of a cell."""
    return np.full((cell.shape[0], GAP_PIXELS, 3), 96, np.uint8)
