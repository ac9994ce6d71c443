"""Example inputs for networks: the shipped portrait in any size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import matte
from matte.errors import BackendError

PORTRAIT_FILE = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"
# An ellipse about the subject: centre and radii, in shares of the picture's width and height.
SUBJECT_CENTRE, SUBJECT_RADII = (0.45, 0.62), (0.42, 0.6)
# In shares of those radii: subject within the first, background beyond the second.
INNER_RADIUS, OUTER_RADIUS = 0.75, 1.15
SIGNED_INPUT = "input"  # MODNet's name for a picture that goes from −1 to 1


def portrait_inputs(
    shapes: Mapping[str, tuple[int | None, ...]], batch: int, height: int, width: int
) -> dict[str, NDArray[np.float32]]:
    """Return the portrait as float32 inputs of those shapes; in a batch every second is mirrored.

    Four-dimensional inputs of one channel get a trimap of 0, 0.5 and 1, others RGB 0 … 1 (MODNet's
    −1 … 1); one-dimensional ones get −1, which stands for the trimap's own ratio.
    """
    picture = _read_portrait(height, width)
    inputs: dict[str, NDArray[Any]] = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            inputs[name] = np.full(batch, -1)  # the trimap's own ratio
        elif shape[1] == 1:
            inputs[name] = np.stack([_ellipse_trimap(height, width)] * batch)
        else:
            mirrored = [picture[:, :: (-1) ** number] for number in range(batch)]
            values = np.stack(mirrored).transpose(0, 3, 1, 2)
            inputs[name] = values * 2 - 1 if name == SIGNED_INPUT else values
    return {name: np.ascontiguousarray(values, np.float32) for name, values in inputs.items()}


def _read_portrait(height: int, width: int) -> NDArray[np.float32]:
    """Return the portrait at a size: (H, W, 3) RGB 0 … 1."""
    pixels = cv2.imdecode(np.frombuffer(PORTRAIT_FILE.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BackendError(f"can't read {PORTRAIT_FILE}", "install matte again")
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small[:, :, ::-1] / 255, np.float32)


def _ellipse_trimap(height: int, width: int) -> NDArray[np.float64]:
    """Return a trimap of the ellipse, (1, H, W): 0, 0.5 and 1."""
    y, x = np.mgrid[:height, :width]
    across = ((x + 0.5) / width - SUBJECT_CENTRE[0]) / SUBJECT_RADII[0]
    down = ((y + 0.5) / height - SUBJECT_CENTRE[1]) / SUBJECT_RADII[1]
    distance = np.hypot(across, down)[None]
    return np.select([distance < INNER_RADIUS, distance > OUTER_RADIUS], [1.0, 0.0], 0.5)
