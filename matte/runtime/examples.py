"""What networks are tried on: the shipped portrait, in any size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import matte
from matte.errors import BackendError

PORTRAIT = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"
# About where she is: centre and radii of an ellipse, in shares of the picture's width and height.
CENTRE, RADII = (0.45, 0.62), (0.42, 0.6)
SURE, OUTSIDE = 0.75, 1.15  # of the radii: within is subject, beyond is background
MINUS_ONE_TO_ONE = "input"  # MODNet's name for a picture that goes from −1 to 1


def portrait_inputs(
    shapes: Mapping[str, tuple[int | None, ...]], batch: int, height: int, width: int
) -> dict[str, NDArray[np.float32]]:
    """The portrait as a network with those inputs takes it; in a batch, each is another."""
    picture = _portrait(height, width)
    given: dict[str, NDArray[Any]] = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            given[name] = np.full(batch, -1)  # the trimap's own ratio
        elif shape[1] == 1:
            given[name] = np.stack([_trimap(height, width)] * batch)
        else:
            turned = [picture[:, :: (-1) ** number] for number in range(batch)]
            values = np.stack(turned).transpose(0, 3, 1, 2)
            given[name] = values * 2 - 1 if name == MINUS_ONE_TO_ONE else values
    return {name: np.ascontiguousarray(values, np.float32) for name, values in given.items()}


def _portrait(height: int, width: int) -> NDArray[np.float32]:
    """RGB 0 … 1."""
    pixels = cv2.imdecode(np.frombuffer(PORTRAIT.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BackendError(f"can't read {PORTRAIT}", "install matte again")
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small[:, :, ::-1] / 255, np.float32)


def _trimap(height: int, width: int) -> NDArray[np.float64]:
    """(1, H, W): 0, 0.5 and 1."""
    y, x = np.mgrid[:height, :width]
    across = ((x + 0.5) / width - CENTRE[0]) / RADII[0]
    down = ((y + 0.5) / height - CENTRE[1]) / RADII[1]
    distance = np.hypot(across, down)[None]
    return np.select([distance < SURE, distance > OUTSIDE], [1.0, 0.0], 0.5)
