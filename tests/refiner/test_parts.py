"""Which way a picture is refined, and what a small copy settles."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.imaging.resizing import resize
from matte.refiner.detail import CELL
from matte.refiner.parts import Plan, SmallerCopy, cheapest_plan, remaining_task, shrink, whole_cost
from matte.refiner.tiles import SIDE, Tiling

PLAIN = (90, 120, 60)


def plain(height: int, width: int) -> Image:
    return Image(np.full((height, width, 3), PLAIN, np.uint8))


def fine(height: int, width: int) -> Image:
    """All of it detail, but for plain stripes."""
    coarse = np.random.default_rng(0).integers(0, 256, (height // 3 + 1, width // 3 + 1, 1))
    found = np.kron(coarse, np.ones((3, 3, 3), int)).astype(np.uint8)[:height, :width]
    found[:, np.arange(width) % 128 < 24] = PLAIN
    return Image(found)


def band(height: int, width: int, half: int) -> Trimap:
    """Unknown so far to both sides of the middle; background left, subject right."""
    trimap = np.zeros((height, width), np.uint8)
    trimap[:, width // 2 :] = SUBJECT
    trimap[:, max(0, width // 2 - half) : width // 2 + half] = UNKNOWN
    return Trimap(trimap)


def ways(image: Image, half: int, attention: bool = True) -> list[str]:
    """Of the picture, its copy, the copy's copy."""
    height, width, _ = image.shape
    plan: Plan | None = cheapest_plan(image, band(height, width, half), attention)
    found = []
    while plan is not None:
        found.append(plan.report()["way"])
        plan = None if plan.copy is None else plan.copy.plan
    return found


@pytest.mark.parametrize(
    ("image", "half", "expected"),
    [
        (fine(500, 400), 190, ["whole"]),
        (fine(600, 600), 5, ["tiles"]),
        (fine(900, 1200), 5, ["tiles"]),
        (fine(900, 1200), 36, ["tiles"]),
        # Tiles would see almost only unknown pixels.
        (fine(900, 1200), 110, ["copy and tiles", "whole"]),
        (fine(1080, 1900), 5, ["tiles"]),
        (plain(900, 1200), 5, ["copy and tiles", "tiles"]),
        (plain(1080, 1920), 900, ["copy and tiles", "whole"]),
        (plain(1400, 1900), 900, ["copy and tiles", "whole"]),
        (plain(3000, 4500), 2200, ["copy and tiles", "copy and tiles", "whole"]),
        # No tile lies in it.
        (plain(100, 5000), 40, ["whole"]),
        (plain(5000, 100), 40, ["whole"]),
        (plain(159, 159), 9, ["whole"]),
        (plain(1, 1), 1, ["whole"]),
        (plain(1, 5000), 900, ["whole"]),
        (fine(160, 5000), 40, ["tiles"]),
    ],
)
def test_the_cheapest_way_is_planned(image: Image, half: int, expected: list[str]) -> None:
    assert ways(image, half) == expected


def test_without_attention_the_whole_costs_less() -> None:
    image, trimap = fine(900, 1200), band(900, 1200, 450)
    trimap[:, ::40] = SUBJECT
    assert cheapest_plan(image, trimap).method == "tiles"
    assert cheapest_plan(image, trimap, attention=False).method == "whole"
    assert whole_cost(2_000_000, attention=False) == 2
    assert whole_cost(2_000_000, attention=True) > 3


def test_detail_keeps_tiles_where_the_plain_needs_none() -> None:
    trimap = band(1200, 1600, 500)
    sharp, flat = cheapest_plan(fine(1200, 1600), trimap), cheapest_plan(plain(1200, 1600), trimap)
    assert flat.copy is not None
    assert not flat.copy.cells.any()
    assert sharp.costs["copy and tiles"] > flat.costs["copy and tiles"]


def test_what_the_network_may_see_at_once_rules_the_whole_out() -> None:
    image, trimap = plain(500, 400), band(500, 400, 190)
    plan = cheapest_plan(image, trimap, max_pixels=SIDE**2)
    assert plan.tiling is not None
    assert "whole" not in plan.costs
    large = cheapest_plan(plain(1080, 1920), band(1080, 1920, 500), max_pixels=100_000)
    assert large.copy is not None
    assert large.copy.plan.tiling is not None
    assert cheapest_plan(image, trimap, max_pixels=10**9).tiling is None
    # The copy would hold no tile.
    thin = cheapest_plan(plain(200, 4000), band(200, 4000, 1900), max_pixels=SIDE**2)
    assert thin.costs.keys() == {"tiles"}


def test_reports_tell_what_was_weighed() -> None:
    plan = cheapest_plan(plain(1080, 1920), band(1080, 1920, 900))
    told = json.loads(json.dumps(plan.report()))
    assert told["way"] == "copy and tiles"
    assert told["megapixels"] == {
        "whole": pytest.approx(whole_cost(1080 * 1920, True), abs=1e-3),
        "copy and tiles": pytest.approx(plan.costs["copy and tiles"], abs=1e-3),
    }
    assert told["side"] == SIDE
    assert (told["copy"]["width"], told["copy"]["height"]) == (640, 360)
    assert told["copy"]["way"] == "whole"
    assert Plan().report()["way"] == "whole"
    low = cheapest_plan(plain(7, 11), band(7, 11, 3)).report()
    assert low["megapixels"] == {"whole": 0.0}
    assert "side" not in low


def test_copies_of_large_pictures_have_copies() -> None:
    plan = cheapest_plan(plain(4200, 6000), band(4200, 6000, 2900))
    assert plan.copy is not None
    assert plan.copy.trimap.shape == plan.copy.image.shape[:2] == (1400, 2000)
    inner = plan.copy.plan.copy
    assert inner is not None
    assert inner.trimap.shape == (467, 667)
    assert inner.plan.copy is not None
    assert inner.plan.copy.trimap.shape == (448, 640)
    assert inner.plan.copy.plan.copy is None


@pytest.mark.parametrize("shape", [(641, 977), (1001, 1003), (163, 1301)])
def test_nothing_unknown_is_lost_in_a_copy(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(4)
    trimap = random.choice(np.array([0, 255], np.uint8), shape)
    trimap[:, shape[1] // 2 :] = SUBJECT
    trimap[random.random(shape) < 0.001] = UNKNOWN
    height, width = shape[0] // 2, shape[1] // 3
    image, less = shrink(plain(*shape), Trimap(trimap), height, width)
    assert image.shape == (height, width, 3)
    assert set(np.unique(less)) <= {BACKGROUND, UNKNOWN, SUBJECT}
    for y, x in np.argwhere(trimap == UNKNOWN):
        row, column = int((y + 0.5) * height / shape[0]), int((x + 0.5) * width / shape[1])
        assert less[row, column] == UNKNOWN
    near = resize((trimap == UNKNOWN).astype(np.float32), height, width)
    assert (less[:, 1 + width // 2 :][near[:, 1 + width // 2 :] == 0] == SUBJECT).all()


def copy_of(trimap: Trimap, cells: NDArray[np.bool_]) -> SmallerCopy:
    height, width = trimap.shape
    less = shrink(plain(height, width), trimap, height // 4, width // 4)
    return SmallerCopy(*less, Plan(), cells)


def test_a_copy_settles_what_it_is_sure_of_and_what_shows_no_more() -> None:
    trimap = Trimap(np.full((240, 320), UNKNOWN, np.uint8))
    trimap[:, 155:162] = BACKGROUND
    trimap[:, -8:] = SUBJECT
    small = Alpha(np.zeros((60, 80), np.float32))
    small[:, 40:] = 1
    small[20, 10] = small[50, 10] = 0.5
    large = Alpha(resize(small, 240, 320))
    cells = np.zeros((30, 40), bool)
    cells[:20] = True  # all of the upper part shows detail
    task = remaining_task(trimap, copy_of(trimap, cells), small, large)
    todo = task.pixels_in(slice(None), slice(None))
    assert not todo[trimap != UNKNOWN].any()
    assert todo[82, 42], "soft alpha"
    assert todo[40, 151], "an edge"
    assert not todo[202, 42], "soft alpha without detail"
    assert not todo[:150, 80:120].any(), "sure, far from what is not"
    assert not todo[:150, 200:].any()
    assert not todo[200:].any()
    # What tiles see beside what they refine: known where alpha is sure.
    assert (task.trimap[trimap != UNKNOWN] == trimap[trimap != UNKNOWN]).all()
    assert (task.trimap[:, 80:120] == BACKGROUND).all()
    assert (task.trimap[:, 200:] == SUBJECT).all()
    assert task.trimap[202, 42] == UNKNOWN
    assert (task.trimap[todo] == UNKNOWN).all()
    assert np.array_equal(trimap, np.where(trimap == UNKNOWN, UNKNOWN, trimap)), "left as it was"


def test_what_a_copy_knows_throughout_leaves_nothing() -> None:
    trimap = band(240, 320, 60)
    cells = np.ones((30, 40), bool)
    sure = Alpha(np.zeros((60, 80), np.float32))
    task = remaining_task(
        trimap, copy_of(trimap, cells), sure, Alpha(np.zeros((240, 320), np.float32))
    )
    assert not task.pixels_in(slice(None), slice(None)).any()
    assert set(np.unique(task.trimap)) == {BACKGROUND, SUBJECT}


@pytest.mark.parametrize("shape", [(641, 643), (777, 1301), (1300, 167)])
def test_odd_sizes_leave_what_is_soft(shape: tuple[int, int]) -> None:
    """Cells hang over the picture's border: what is soft there is refined all the same."""
    height, width = shape
    trimap = Trimap(np.full(shape, UNKNOWN, np.uint8))
    cells = np.ones((-(-height // CELL), -(-width // CELL)), bool)
    copy = replace(copy_of(trimap, cells))
    small = Alpha(np.zeros(copy.trimap.shape, np.float32))
    small[-1, -1] = small[0, -1] = small[-1, 0] = 0.5
    task = remaining_task(trimap, copy, small, Alpha(resize(small, height, width)))
    todo = task.pixels_in(slice(None), slice(None))
    assert todo[-1, -1]
    assert todo[0, -1]
    assert todo[-1, 0]
    assert not todo[height // 2, width // 2]


def test_plans_of_large_pictures_have_tiles_with_more_context() -> None:
    small, large = (
        cheapest_plan(plain(h, w), band(h, w, 3)) for h, w in ((900, 1000), (1500, 2000))
    )
    assert isinstance(small.tiling, Tiling)
    assert isinstance(large.tiling, Tiling)
    assert large.tiling.context > small.tiling.context
    assert large.tiling.side == small.tiling.side == SIDE
