"""Pictures of what a network finds, for whoever watches a run."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 160  # of each row
GAP = 4


def sheet(rows: Sequence[Sequence[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Rows of pictures (H, W, 3) or grey maps (H, W) as one picture on grey."""
    strips = []
    for row in rows:
        cells = [_cell(picture) for picture in row]
        strips.append(np.concatenate([c for cell in cells for c in (cell, _gap(cell))], axis=1))
    width = max((s.shape[1] for s in strips), default=1)
    padded = [
        cv2.copyMakeBorder(
            s, 0, GAP, 0, width - s.shape[1], cv2.BORDER_CONSTANT, value=(96, 96, 96)
        )
        for s in strips
    ]
    return np.concatenate(padded).astype(np.uint8) if padded else np.zeros((1, 1, 3), np.uint8)


def _cell(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colours = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    width = max(1, round(picture.shape[1] * HEIGHT / picture.shape[0]))
    return np.asarray(cv2.resize(colours, (width, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _gap(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.full((cell.shape[0], GAP, 3), 96, np.uint8)
