"""Tiles: they cover what is to be refined, write nothing else, and meet without seams."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, UNKNOWN, Alpha, Image, Trimap
from matte.imaging.resizing import resize
from matte.refiner.detail import CELL, detail_cells
from matte.refiner.gca import Gca
from matte.refiner.parts import Plan, SmallerCopy, remaining_task, shrink
from matte.refiner.tiles import (
    SIDE,
    RefineTask,
    Tiling,
    refine_tiles,
    tile_corners,
    tiling_for_side,
)
from tests.tolerances import BATCHED, CELL_STEPS, COPIED, TILED, TILED_STEPS

Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]
TILINGS = [Tiling(), Tiling(context=16), tiling_for_side(64), tiling_for_side(96)]
BEFORE = np.float32(0.25)  # alpha where nobody wrote any


def red(images: Sequence[Image], trimaps: Sequence[Trimap], ratio: float) -> list[Floats]:
    """A network whose alpha is the picture's red."""
    assert 0 <= ratio <= 1
    assert all(i.shape[:2] == t.shape for i, t in zip(images, trimaps, strict=True))
    return [np.asarray(image[:, :, 0] / 255, np.float32) for image in images]


def noise(height: int, width: int) -> Image:
    return Image(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def trimap_of(unknown: Flags) -> Trimap:
    return Trimap(np.where(unknown, UNKNOWN, BACKGROUND).astype(np.uint8))


def islands(height: int, width: int) -> Flags:
    return np.random.default_rng(2).random((height, width)) < 0.02


def frame(height: int, width: int) -> Flags:
    found = np.zeros((height, width), bool)
    found[[0, -1]] = found[:, [0, -1]] = True
    return found


def line(height: int, width: int) -> Flags:
    found = np.zeros((height, width), bool)
    found[np.arange(height), np.arange(height) * (width - 1) // (height - 1)] = True
    return found


def some_cells(height: int, width: int, share: float = 0.02) -> Flags:
    shape = -(-height // CELL), -(-width // CELL)
    return np.random.default_rng(3).random(shape) < share


def refined(image: Image, task: RefineTask, tiling: Tiling, together: int = 3) -> Floats:
    """By the network that gives red, over what was there."""
    alpha = np.full(task.trimap.shape, BEFORE)
    assert refine_tiles(image, task, alpha, red, 0.1, tiling, together) == len(
        tile_corners(task, tiling)
    )
    return alpha


@pytest.mark.parametrize("tiling", TILINGS)
@pytest.mark.parametrize("shape", [(160, 160), (161, 517), (700, 333)])
@pytest.mark.parametrize("unknown", [islands, frame, line, lambda h, w: np.ones((h, w), bool)])
def test_tiles_together_are_the_whole(
    shape: tuple[int, int], unknown: Callable[[int, int], Flags], tiling: Tiling
) -> None:
    image, where = noise(*shape), unknown(*shape)
    alpha = refined(image, RefineTask(trimap_of(where)), tiling)
    np.testing.assert_allclose(alpha[where], image[:, :, 0][where] / 255, atol=1e-6)
    assert (alpha[~where] == BEFORE).all()


@pytest.mark.parametrize("shape", [(160, 160), (163, 517), (700, 333)])
def test_cells_are_refined_and_only_their_surroundings_change(shape: tuple[int, int]) -> None:
    image, where = noise(*shape), np.random.default_rng(2).random(shape) < 0.7
    cells = some_cells(*shape)
    cells[-1, -1] = True  # cut by the picture's border
    cells[shape[0] // CELL // 2, shape[1] // CELL // 2] = True
    task = RefineTask(trimap_of(where), cells)
    alpha = refined(image, task, Tiling())
    height, width = shape
    inside = np.repeat(np.repeat(cells, CELL, 0), CELL, 1)[:height, :width]
    wanted = task.pixels_in(slice(None), slice(None))
    assert not (inside & where & ~wanted).any()
    assert not (wanted & ~where).any()
    assert (alpha[~wanted] == BEFORE).all()
    # Between the tiles' and what was there, and the tiles' in the middle of cells.
    target = image[:, :, 0] / np.float32(255)
    share = (alpha - BEFORE)[wanted] / (target - BEFORE)[wanted]
    assert share.min() > -1e-3
    assert share.max() < 1 + 1e-3
    middle = np.zeros(shape, bool)
    middle[CELL // 2 :: CELL, CELL // 2 :: CELL] = True
    middle &= inside & where
    assert np.abs(alpha - target)[middle].max() < 0.2
    assert np.abs(alpha - target)[inside & where].mean() < np.abs(alpha - target)[wanted].mean()


def test_no_cells_are_nothing_to_do() -> None:
    task = RefineTask(trimap_of(np.ones((200, 300), bool)), np.zeros((25, 38), bool))
    assert tile_corners(task, Tiling()) == []
    assert (refined(noise(200, 300), task, Tiling()) == BEFORE).all()


@given(
    st.integers(SIDE, 600),
    st.integers(SIDE, 600),
    st.integers(0, 9),
    st.integers(0, 99),
    st.booleans(),
    st.sampled_from(TILINGS),
)
def test_all_that_is_to_be_refined_lies_within_tiles(
    height: int, width: int, spots: int, seed: int, celled: bool, tiling: Tiling
) -> None:
    random = np.random.default_rng(seed)
    unknown = np.zeros((height, width), bool)
    for y, x in random.integers(0, (height, width), (spots, 2)):
        unknown[max(0, y - 20) : y + 20, max(0, x - 30) : x + 30] = True
    cells = random.random((-(-height // CELL), -(-width // CELL))) < 0.01 if celled else None
    task = RefineTask(trimap_of(unknown), cells)
    rest = task.pixels_in(slice(0, height), slice(0, width)).copy()
    assert bool(tile_corners(task, tiling)) == rest.any()
    side, context = tiling.side, tiling.context
    for y, x in tile_corners(task, tiling):
        assert 0 <= y <= height - side
        assert 0 <= x <= width - side
        # At the picture's border there is no neighbour, and all of the tile counts.
        rows = slice(y + context * (y > 0), y + side - context * (y + side < height))
        columns = slice(x + context * (x > 0), x + side - context * (x + side < width))
        rest[rows, columns] = False
    assert not rest.any()


@pytest.mark.parametrize("cells", [None, some_cells(400, 300, 0.2)])
def test_how_many_are_seen_at_once_changes_nothing(cells: Flags | None) -> None:
    image, task = noise(400, 300), RefineTask(trimap_of(islands(400, 300)), cells)
    one = refined(image, task, Tiling(), 1)
    for together in (2, 5, 1000):
        assert np.array_equal(refined(image, task, Tiling(), together), one)


# Half floats count exactly where tiles are small, and to 11 bits where they are large.
@pytest.mark.parametrize(
    ("tiling", "apart"),
    [(Tiling(), 2e-6), (Tiling(context=16), 2e-6), (tiling_for_side(640), 1e-3)],
)
def test_tiles_that_overlap_are_averaged(tiling: Tiling, apart: float) -> None:
    image, shape = noise(900, 700), (900, 700)
    task = RefineTask(trimap_of(np.ones(shape, bool)))
    made: list[Floats] = []

    def random(images: Sequence[Image], trimaps: Sequence[Trimap], ratio: float) -> list[Floats]:
        values = np.random.default_rng(len(made)).random((len(images), *trimaps[0].shape))
        made.extend(values.astype(np.float32))
        return made[-len(images) :]

    alpha = np.zeros(shape, np.float32)
    refine_tiles(image, task, alpha, random, 0.1, tiling, 4)
    ramp = np.arange(1, tiling.side + 1)
    ramp = np.minimum(np.minimum(ramp, ramp[::-1]) / tiling.context, 1)
    total, weight = np.zeros(shape), np.zeros(shape)
    for (y, x), each in zip(tile_corners(task, tiling), made, strict=True):
        part = slice(y, y + tiling.side), slice(x, x + tiling.side)
        total[part] += np.outer(ramp, ramp) * each
        weight[part] += np.outer(ramp, ramp)
    np.testing.assert_allclose(alpha, total / weight, atol=apart)


@pytest.mark.parametrize("side", [64, 160, 192, 4096])
def test_tiles_that_are_named_keep_a_core(side: int) -> None:
    tiling = tiling_for_side(side)
    assert tiling.side == side
    assert 8 <= tiling.context <= side // 4


# What follows runs the shipped network.


def alpha_of(gca: Gca, portrait: tuple[Image, Trimap], plan: Plan) -> Alpha:
    """By a way that is named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matte.refiner.gca.cheapest_plan", lambda *_: plan)
        return gca.refine(*portrait).alpha


def half_copy(image: Image, trimap: Trimap) -> SmallerCopy:
    height, width = trimap.shape
    less = shrink(image, trimap, height // 2, width // 2)
    return SmallerCopy(*less, Plan(), detail_cells(image, trimap))


@pytest.fixture(scope="module")
def wholes(gca: Gca, portraits: dict[str, tuple[Image, Trimap]]) -> dict[str, Alpha]:
    return {name: alpha_of(gca, portrait, Plan()) for name, portrait in portraits.items()}


def steps(alpha: Floats, where: Sequence[Flags]) -> Floats:
    """Of alpha, from the pixel above and from the left one, where flagged in this order."""
    return np.concatenate(
        [
            np.abs(np.diff(alpha, axis=axis, prepend=np.float32(0)))[flags]
            for axis, flags in enumerate(where)
        ]
    )


def borders(task: RefineTask, tiling: Tiling) -> list[Flags]:
    """Where the inner parts of tiles end: their first and last rows, and columns."""
    rows, columns = (np.zeros(task.trimap.shape, bool) for _ in range(2))
    context, end = tiling.context, tiling.side - tiling.context
    for y, x in tile_corners(task, tiling):
        rows[[y + context, y + end], x + context : x + end] = True
        columns[y + context : y + end, [x + context, x + end]] = True
    return [rows, columns]


def entered(within: Flags) -> list[Flags]:
    """Where neighbours above, and left ones, are on the other side."""
    return [np.diff(within, axis=axis, prepend=within.take([0], axis)) for axis in (0, 1)]


def check_no_seams(alpha: Floats, whole: Floats, within: Flags, border: list[Flags]) -> None:
    """Steps where the inner parts of tiles meet, beside those elsewhere, are as large as in what
    has no tiles.
    """
    there, elsewhere = [within & flags for flags in border], [within & ~flags for flags in border]
    assert np.concatenate(there).sum() > 200
    ratios = (steps(each, there).mean() / steps(each, elsewhere).mean() for each in (alpha, whole))
    assert next(ratios) < TILED_STEPS * next(ratios)


@pytest.mark.parametrize("tiling", [Tiling(), Tiling(context=16)])
@pytest.mark.parametrize("name", ["soft", "sharp"])
def test_tiles_are_near_the_whole_without_seams(
    gca: Gca,
    portraits: dict[str, tuple[Image, Trimap]],
    wholes: dict[str, Alpha],
    name: str,
    tiling: Tiling,
) -> None:
    trimap = portraits[name][1]
    alpha = alpha_of(gca, portraits[name], Plan(tiling))
    band = trimap == UNKNOWN
    assert np.abs(alpha - wholes[name])[band].mean() < TILED
    check_no_seams(alpha, wholes[name], band, borders(RefineTask(trimap), tiling))


@pytest.mark.parametrize("tiling", [Tiling(), Tiling(context=16)])
@pytest.mark.parametrize("name", ["soft", "sharp"])
def test_a_copy_and_tiles_are_near_the_whole_without_seams(
    gca: Gca,
    portraits: dict[str, tuple[Image, Trimap]],
    wholes: dict[str, Alpha],
    name: str,
    tiling: Tiling,
) -> None:
    image, trimap = portraits[name]
    whole, band = wholes[name], trimap == UNKNOWN
    copy = half_copy(image, trimap)
    alpha = alpha_of(gca, portraits[name], Plan(tiling, copy))
    assert np.abs(alpha - whole)[band].mean() < COPIED
    small = alpha_of(gca, (copy.image, copy.trimap), Plan())
    large = Alpha(resize(small, *trimap.shape))
    task = remaining_task(trimap, copy, small, large)
    within = task.pixels_in(slice(None), slice(None))
    assert 0.1 < within.sum() / band.sum() < 0.9
    check_no_seams(alpha, whole, within, borders(task, tiling))
    # Steps from what the copy settled to what tiles refined are as large as without tiles.
    edge = [flags & band for flags in entered(within)]
    assert np.concatenate(edge).sum() > 100
    found, *others = (steps(each, edge) for each in (alpha, large, whole))
    for told in (np.mean, lambda values: np.percentile(values, 99)):
        assert told(found) < CELL_STEPS * max(told(each) for each in others)


def test_the_number_of_tiles_at_once_changes_nothing(
    gca: Gca, portraits: dict[str, tuple[Image, Trimap]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(Tiling(), half_copy(*portraits["sharp"]))
    together = alpha_of(gca, portraits["sharp"], plan)
    monkeypatch.setattr("matte.refiner.gca.MAX_BATCH_PIXELS", 1)
    assert np.abs(alpha_of(gca, portraits["sharp"], plan) - together).max() < BATCHED
