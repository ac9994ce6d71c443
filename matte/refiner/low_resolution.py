"""A refiner that works on a small copy, and its alpha brought to full size along the colours."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.imaging.guided_filter import local_linear_coefficients
from matte.imaging.regions import align_slice, bounding_box
from matte.imaging.resizing import can_halve, resize
from matte.imaging.sampling import positions_in_copy, sample_at
from matte.refiner.gca import MIN_VISIBLE_ALPHA
from matte.refiner.parts import shrink
from matte.refiner.reuse import refine_with_reuse
from matte.stages import (
    NO_CONTEXT,
    NetworkFacts,
    RefineContext,
    Refined,
    Refiner,
    ReusableAlpha,
)

# Measured on portraits with true alpha, moved, at 720p and 360p.
RADIUS = 1  # of the windows in which alpha is fitted to the colours, in the copy's pixels
EPSILON = 1e-4
MARGIN = 16  # of the copy's pixels around the unknown band that the refiner sees
BLOCK = 16  # the copy's sides are multiples of it, as networks prepare for each size

Box = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """A small copy of the part of a picture that holds the unknown band."""

    box: Box
    image: Image
    trimap: Trimap

    def shrink(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the same part of other values of the picture, at the copy's size."""
        return resize(values[self.box], *self.trimap.shape)


@dataclass(frozen=True, slots=True, eq=False)
class _KnownAlpha:
    """An alpha that is known already, as the context of a refiner."""

    reusable: ReusableAlpha

    def warped_alpha(self, image: Image, trimap: Trimap) -> ReusableAlpha:
        """Return the known alpha, for any picture."""
        return self.reusable

    def update(self, alpha: Alpha) -> Alpha:
        """Return the refined alpha: nothing is remembered."""
        return alpha


class LowResolutionRefiner:
    """A refiner that shows another refiner no more than a small copy of a large picture.

    Alpha at full size is the locally linear function of the colours that fits the copy's alpha: K.
    He, J. Sun, "Fast Guided Filter", 2015.
    """

    def __init__(self, refiner: Refiner, max_side: int) -> None:
        """`refiner` sees copies whose long side is at most `max_side` pixels."""
        self._refiner = refiner
        self._max_side = max_side

    @property
    def network(self) -> NetworkFacts | None:
        """The network of the refiner that works on the copies."""
        return self._refiner.network

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known."""
        if max(trimap.shape) <= self._max_side:
            return self._refiner.refine(image, trimap, context)
        return refine_with_reuse(self, image, trimap, context)

    def refine_all(self, image: Image, trimap: Trimap) -> Refined:
        """Refine all unknown pixels on one small copy, and upsample its alpha."""
        unknown = trimap == UNKNOWN
        copy = self._copy_around(image, trimap, unknown)
        alpha = Alpha((trimap == SUBJECT).astype(np.float32))
        if copy is None:
            return Refined(alpha)
        small = self._refiner.refine(copy.image, copy.trimap)
        _upsample_into(alpha, small.alpha, copy, image, unknown)
        height, width = copy.trimap.shape
        return Refined(alpha, {"enlarged_from": {"width": width, "height": height}, **small.report})

    def refine_stale(self, image: Image, trimap: Trimap, reusable: ReusableAlpha) -> Alpha:
        """Return the reusable alpha, refined again where it is stale."""
        unknown = trimap == UNKNOWN
        alpha = Alpha((trimap == SUBJECT).astype(np.float32))
        np.copyto(alpha, reusable.alpha, where=unknown)
        region = unknown & reusable.stale
        copy = self._copy_around(image, trimap, region)
        if copy is not None:
            known = Alpha(copy.shrink(reusable.alpha))
            stale = copy.shrink(reusable.stale.astype(np.float32)) > 0
            context = RefineContext(_KnownAlpha(ReusableAlpha(known, stale)))
            small = self._refiner.refine(copy.image, copy.trimap, context)
            _upsample_into(alpha, small.alpha, copy, image, region)
        return alpha

    def _copy_around(self, image: Image, trimap: Trimap, region: BoolArray) -> _Copy | None:
        """Return a copy of the picture's part around the region; None if the region is empty."""
        factor = max(trimap.shape) / self._max_side
        found = bounding_box(region, margin=round(MARGIN * factor))
        if found is None:
            return None
        rows, columns = aligned_box(found, trimap.shape, factor)
        part, known = Image(image[rows, columns]), Trimap(trimap[rows, columns])
        height, width = (max(1, round(length / factor)) for length in known.shape)
        # OpenCV averages squares of two by two several times as fast as others.
        while can_halve(known.shape, (height, width)):
            part, known = shrink(part, known, known.shape[0] // 2, known.shape[1] // 2)
        return _Copy((rows, columns), *shrink(part, known, height, width))


def aligned_box(box: Box, shape: tuple[int, ...], factor: float) -> Box:
    """Return a box of a picture, widened to whole blocks of a copy that is `factor` smaller."""
    block = round(BLOCK * factor)
    rows, columns = (
        align_slice(part, block, length) for part, length in zip(box, shape, strict=True)
    )
    return rows, columns


def _upsample_into(
    alpha: Alpha, small: FloatArray, copy: _Copy, image: Image, region: BoolArray
) -> None:
    """Write the copy's alpha, upsampled along the picture's colours, into `alpha` in the region."""
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
    coefficients = sample_at(lines, positions_in_copy(x, y, across, down))
    at = (rows + copy.box[0].start) * image.shape[1] + (columns + copy.box[1].start)
    colours = image.reshape(-1, 3).take(at, 0) / top - np.float32(0.5)
    values = np.einsum("ij,ij->i", coefficients[:, :3], colours) + coefficients[:, 3]
    values[values < MIN_VISIBLE_ALPHA] = 0
    values[values > 1 - MIN_VISIBLE_ALPHA] = 1
    alpha.reshape(-1)[at] = values
