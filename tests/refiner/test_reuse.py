"""Alpha refined again where it is stale, and kept elsewhere."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.refiner.gca import Gca
from matte.refiner.tiles import (
    BLEND_PIXELS,
    PATCH_SIDE,
    StaleTask,
    Tiling,
    refine_tiles,
    tile_corners,
)
from matte.stages import RefineContext
from tests.refiner.conftest import Previous, shipped
from tests.tolerances import TILED

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]
BEFORE = np.float32(0.25)  # alpha that was there


def white(images: Sequence[Image], trimaps: Sequence[Trimap], ratio: float) -> list[Floats]:
    """A network that finds the subject everywhere."""
    return [np.ones(trimap.shape, np.float32) for trimap in trimaps]


def patch(shape: tuple[int, int], top: int, left: int, side: int = PATCH_SIDE) -> Flags:
    found = np.zeros(shape, bool)
    found[top : top + side, left : left + side] = True
    return found


def all_unknown(shape: tuple[int, int]) -> Trimap:
    return Trimap(np.full(shape, UNKNOWN, np.uint8))


@pytest.mark.parametrize(("top", "left"), [(16, 16), (57, 131), (256, 356)])
def test_a_patch_takes_one_tile_and_goes_over_into_what_was_there(top: int, left: int) -> None:
    shape = (400, 500)
    stale = patch(shape, top, left)
    task = StaleTask(all_unknown(shape), stale)
    assert len(tile_corners(task, Tiling())) == 1
    alpha = np.full(shape, BEFORE)
    refine_tiles(Image(np.zeros((*shape, 3), np.uint8)), task, alpha, white, 0.1, Tiling(), 1)
    assert (alpha[stale] == 1).all()
    near = patch(shape, top - BLEND_PIXELS, left - BLEND_PIXELS, PATCH_SIDE + 2 * BLEND_PIXELS)
    assert (alpha[~near] == BEFORE).all()
    # No step is as large as an eighth of what changes.
    steps = [np.abs(np.diff(alpha, axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < (1 - BEFORE) / (BLEND_PIXELS - 1)


def test_what_is_known_is_not_refined_again() -> None:
    trimap = all_unknown((200, 300))
    trimap[:, 100:] = SUBJECT
    trimap[:, 200:] = BACKGROUND
    stale = np.ones(trimap.shape, bool)
    within = StaleTask(trimap, stale).pixels_in(slice(None))
    assert np.array_equal(within, trimap == UNKNOWN)


def a_place_in_the_band(trimap: Trimap) -> tuple[int, int]:
    """The corner of the patch that holds most of the band, far enough from the picture's edges.

    The band differs a little from processor to processor, so no pixel of it is counted on.
    """
    unknown = cv2.boxFilter((trimap == UNKNOWN).astype(np.float32), -1, (PATCH_SIDE, PATCH_SIDE))
    margin = PATCH_SIDE + BLEND_PIXELS
    inner = unknown[margin:-margin, margin:-margin]
    y, x = np.unravel_index(np.argmax(inner), inner.shape)
    return int(y) + margin - PATCH_SIDE // 2, int(x) + margin - PATCH_SIDE // 2


# What follows runs the shipped network.


def test_stale_alpha_is_refined_and_the_rest_is_as_before(
    gca: Gca, portraits: dict[str, tuple[Image, Trimap]]
) -> None:
    image, trimap = portraits["soft"]
    anew = gca.refine(image, trimap).alpha
    before = Alpha(np.where(trimap == UNKNOWN, BEFORE, anew))
    y, x = a_place_in_the_band(trimap)
    stale = patch(trimap.shape, y, x) & (trimap == UNKNOWN)
    assert stale.sum() > 500
    kept = before.copy()
    alpha = gca.refine(image, trimap, RefineContext(Previous(before, stale))).alpha
    assert np.array_equal(before, kept), "not edited"
    assert np.abs(alpha - anew)[stale].mean() < TILED
    far = ~patch(trimap.shape, y - BLEND_PIXELS, x - BLEND_PIXELS, PATCH_SIDE + 2 * BLEND_PIXELS)
    assert np.array_equal(alpha[far], before[far])


@pytest.mark.parametrize("stale", [False, True])
def test_none_and_all_stale(
    gca: Gca, portraits: dict[str, tuple[Image, Trimap]], stale: bool
) -> None:
    image, trimap = portraits["sharp"]
    anew = gca.refine(image, trimap).alpha
    before = Alpha(np.where(trimap == UNKNOWN, BEFORE, anew))
    alpha = gca.refine(
        image, trimap, RefineContext(Previous(before, np.full(trimap.shape, stale)))
    ).alpha
    assert np.array_equal(alpha, anew if stale else before)


@pytest.mark.parametrize(("tile", "size"), [("off", 300), ("auto", 90)])
def test_what_is_seen_whole_is_refined_whole(
    portraits: dict[str, tuple[Image, Trimap]], tile: str, size: int
) -> None:
    whole = shipped(tile=tile)
    image, trimap = (part[:size, 200 : 200 + size] for part in portraits["soft"])
    picture, known = Image(np.ascontiguousarray(image)), Trimap(np.ascontiguousarray(trimap))
    stale = patch(known.shape, 0, 0, 20)
    nothing = Alpha(np.zeros(known.shape, np.float32))
    context = RefineContext(Previous(nothing, stale))
    alpha = whole.refine(picture, known, context).alpha
    assert np.array_equal(alpha, whole.refine(picture, known).alpha)
