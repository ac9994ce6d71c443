"""What a data set holds: entries on disk, samples in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matte.errors import PictureError

Kind = Literal["mask", "alpha", "cutout", "background"]


class UnusableError(PictureError):
    """A training picture that can't be used; whoever reads a set names it and goes on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One training picture on disk.

    `name`: unique within its set; it depends on the files' names only. `truth`: the mask, label map
    or alpha; None for backgrounds, and for cut-outs that carry their own alpha. `classes`: the
    labels that are the subject, where `truth` is a label map. `group`: what must not be split
    between training and validation, such as the foreground of several composites; "" is `name`.
    """

    name: str
    kind: Kind
    picture: Path
    truth: Path | None = None
    classes: tuple[int, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The entries of a set, by name, and what of it can't be used, each file with the reason."""

    entries: tuple[Entry, ...]
    broken: tuple[tuple[Path, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture in memory.

    `picture` is (H, W, 3) uint8 RGB. `truth` is (H, W) uint8: of a mask 0, 128 (doesn't count) and
    255, else alpha 0 … 255, and 0 everywhere for a background.
    """

    name: str
    kind: Kind
    picture: NDArray[np.uint8]
    truth: NDArray[np.uint8]
