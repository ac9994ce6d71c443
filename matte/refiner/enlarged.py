"""Alpha found on a small copy of the picture, and brought to full size along the colours."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, BoolArray, Image, Trimap
from matte.imaging.guided_filter import local_linear_coefficients
from matte.imaging.regions import align_slice, bounding_box
from matte.imaging.resizing import can_halve, resize
from matte.imaging.sampling import positions_in_copy, sample_at
from matte.refiner.gca import TRACE
from matte.refiner.parts import smaller
from matte.stages import Refiner, ResumingRefiner, TellingRefiner

# Measured on portraits with true alpha, moved, at 720p and 360p.
RADIUS = 1  # of the windows in which colours tell alpha, in the copy's pixels
EPSILON = 1e-4
MARGIN = 16  # of the copy's pixels around the band that its refiner sees
BLOCK = 16  # of the copy's pixels: its sides grow in such steps, as networks prepare for each size

Box = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """What of the picture holds the band, and that part of picture and trimap made smaller."""

    box: Box
    image: Image
    trimap: Trimap

    def less(self, values: NDArray[Any]) -> NDArray[Any]:
        """The same part of other values, as small."""
        return resize(values[self.box], *self.trimap.shape)


class Enlarged:
    """A refiner that sees no more than a copy of a large picture.

    Alpha at full size is the locally linear function of the colours that tells the copy's alpha: K.
    He, J. Sun, "Fast Guided Filter", 2015.
    """

    def __init__(self, refiner: Refiner, size: int) -> None:
        """Pictures are made so small for `refiner` that the long side is at most `size`."""
        self._refiner = refiner
        self._size = size

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        return self.refine_telling(image, trimap)[0]

    def refine_telling(self, image: Image, trimap: Trimap) -> tuple[Alpha, dict[str, Any]]:
        """The same, and at what size it was found, and how, for reports."""
        if max(trimap.shape) <= self._size:
            return self._inner(image, trimap)
        unknown = trimap == UNKNOWN
        copy = self._copy(image, trimap, unknown)
        alpha = Alpha((trimap == SUBJECT).astype(np.float32))
        if copy is None:
            return alpha, {}
        small, told = self._inner(copy.image, copy.trimap)
        _enlarge(small, copy, image, unknown, alpha)
        height, width = copy.trimap.shape
        return alpha, {"enlarged_from": {"width": width, "height": height}, **told}

    def refine_again(self, image: Image, trimap: Trimap, before: Alpha, stale: BoolArray) -> Alpha:
        """What refine() gives where alpha is `stale` (H, W), and about `before` elsewhere."""
        if max(trimap.shape) <= self._size:
            return self._inner_again(image, trimap, before, stale)
        unknown = trimap == UNKNOWN
        alpha = Alpha((trimap == SUBJECT).astype(np.float32))
        np.copyto(alpha, before, where=unknown)
        region = unknown & stale
        copy = self._copy(image, trimap, region)
        if copy is not None:
            found, old = Alpha(copy.less(before)), copy.less(stale.astype(np.float32)) > 0
            found = self._inner_again(copy.image, copy.trimap, found, old)
            _enlarge(found, copy, image, region, alpha)
        return alpha

    def _inner(self, image: Image, trimap: Trimap) -> tuple[Alpha, dict[str, Any]]:
        if isinstance(self._refiner, TellingRefiner):
            return self._refiner.refine_telling(image, trimap)
        return self._refiner.refine(image, trimap), {}

    def _inner_again(self, image: Image, trimap: Trimap, before: Alpha, stale: BoolArray) -> Alpha:
        if isinstance(self._refiner, ResumingRefiner):
            return self._refiner.refine_again(image, trimap, before, stale)
        return self._refiner.refine(image, trimap)

    def _copy(self, image: Image, trimap: Trimap, region: BoolArray) -> _Copy | None:
        """Of what is around the region; None where there is none."""
        shrink = max(trimap.shape) / self._size
        found = bounding_box(region, margin=round(MARGIN * shrink))
        if found is None:
            return None
        block = round(BLOCK * shrink)
        rows, columns = (
            align_slice(part, block, length)
            for part, length in zip(found, trimap.shape, strict=True)
        )
        part, known = Image(image[rows, columns]), Trimap(trimap[rows, columns])
        height, width = (max(1, round(length / shrink)) for length in known.shape)
        # OpenCV averages squares of two by two several times as fast as others.
        while can_halve(known.shape, (height, width)):
            part, known = smaller(part, known, known.shape[0] // 2, known.shape[1] // 2)
        return _Copy((rows, columns), *smaller(part, known, height, width))


def _enlarge(small: Alpha, copy: _Copy, image: Image, region: BoolArray, alpha: Alpha) -> None:
    """Puts the copy's alpha into `alpha`, where `region` is."""
    top = np.float32(np.iinfo(image.dtype).max)
    near = cv2.dilate((copy.trimap == UNKNOWN).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    guide = (copy.image / top).astype(np.float32, copy=False)
    lines = local_linear_coefficients(guide, small, near, RADIUS, EPSILON)
    inside = region[copy.box]
    rows, columns = np.divmod(np.flatnonzero(inside).astype(np.int32), np.int32(inside.shape[1]))
    down, across = (
        np.float32(many / few) for many, few in zip(inside.shape, small.shape, strict=True)
    )
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    told = sample_at(lines, positions_in_copy(x, y, across, down))
    at = (rows + copy.box[0].start) * image.shape[1] + (columns + copy.box[1].start)
    seen = image.reshape(-1, 3).take(at, 0) / top - np.float32(0.5)
    values = np.einsum("ij,ij->i", told[:, :3], seen) + told[:, 3]
    values[values < TRACE] = 0
    values[values > 1 - TRACE] = 1
    alpha.reshape(-1)[at] = values
