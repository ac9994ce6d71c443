"""Tiny data sets in any layout."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Uint8Array
from matte.datasets.samples import Listing
from tests.conftest import save


def photo(height: int = 12, width: int = 16, seed: int = 0) -> Uint8Array:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def half(height: int = 12, width: int = 16, top: int = 255) -> Uint8Array:
    """A truth whose left half is the subject."""
    truth = np.zeros((height, width), np.uint8)
    truth[:, : width // 2] = top
    return truth


def cutout(height: int = 12, width: int = 16) -> Uint8Array:
    return np.dstack([photo(height, width), half(height, width)])


def put(root: Path, *names: str, array: NDArray[Any] | None = None) -> None:
    """Pictures (PNGs become truths unless told) at these paths below `root`."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        default = half() if path.suffix.lower() == ".png" else photo()
        save(path, default if array is None else array)


def names(listing: Listing) -> list[str]:
    return [entry.name for entry in listing.entries]


def reasons(listing: Listing) -> dict[str, str]:
    return {path.name: reason for path, reason in listing.broken}
