"""The shipped refiner on pictures and trimaps as strange as they come."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.media.pictures import read_photo
from matte.refiner.gca import MIN_VISIBLE_ALPHA, Gca
from tests.conftest import SAMPLE
from tests.refiner.conftest import shipped
from tests.tolerances import PARTS_RUNTIMES, PARTS_RUNTIMES_FLIPPED

Flags = NDArray[np.bool_]


def sample(height: int, width: int) -> Image:
    photo = read_photo(SAMPLE).pixels
    return Image(np.asarray(cv2.resize(photo, (width, height), interpolation=cv2.INTER_CUBIC)))


def nowhere(height: int, width: int) -> Flags:
    return np.zeros((height, width), bool)


def everywhere(height: int, width: int) -> Flags:
    return np.ones((height, width), bool)


def thin(height: int, width: int) -> Flags:
    """A band of one pixel, between the places by which the network counts the unknown."""
    found = nowhere(height, width)
    found[height // 32 * 16 + 5 if height > 32 else 0] = True
    return found


def frame(height: int, width: int) -> Flags:
    found = nowhere(height, width)
    found[[0, -1]] = found[:, [0, -1]] = True
    return found


def corner(height: int, width: int) -> Flags:
    found = nowhere(height, width)
    found[-1, -1] = True
    return found


def islands(height: int, width: int) -> Flags:
    """Thousands, where there is room."""
    return np.random.default_rng(5).random((height, width)) < 0.004


TRIMAPS = [nowhere, everywhere, thin, frame, corner, islands]
SMALL = [(1, 1), (1, 7), (33, 2), (31, 159), (1, 900), (161, 163)]


def halves(unknown: Flags) -> Trimap:
    """Background left, subject right, and what is unknown."""
    trimap = np.where(np.arange(unknown.shape[1]) < unknown.shape[1] // 2, BACKGROUND, SUBJECT)
    return Trimap(np.where(unknown, UNKNOWN, trimap).astype(np.uint8))


def check(gca: Gca, image: Image, trimap: Trimap) -> tuple[Alpha, str]:
    """Alpha as it must be, and the way to it."""
    before = image.copy(), trimap.copy()
    refined = gca.refine(image, trimap)
    alpha, told = refined.alpha, refined.report
    assert alpha.dtype == np.float32
    assert alpha.shape == trimap.shape
    assert alpha.min() >= 0  # no NaN
    assert alpha.max() <= 1
    known = trimap != UNKNOWN
    assert np.array_equal(alpha[known], (trimap == SUBJECT)[known].astype(np.float32))
    assert np.array_equal(image, before[0])
    assert np.array_equal(trimap, before[1])
    assert told.get("tiles", 1) > 0
    return alpha, told.get("way", "none")


@pytest.mark.parametrize("unknown", TRIMAPS)
@pytest.mark.parametrize("shape", SMALL)
def test_small_pictures(
    gca: Gca, shape: tuple[int, int], unknown: Callable[[int, int], Flags]
) -> None:
    check(gca, sample(*shape), halves(unknown(*shape)))


@pytest.mark.parametrize("unknown", [nowhere, thin, frame, corner, islands])
def test_pictures_in_parts(gca: Gca, unknown: Callable[[int, int], Flags]) -> None:
    ways = {check(gca, sample(*s), halves(unknown(*s)))[1] for s in ((643, 757), (500, 1921))}
    assert ways & {"tiles", "copy and tiles"} or not unknown(9, 9).any()


@pytest.mark.parametrize("tile", [64, 160, 640, "off"])
def test_any_tile(tile: int | str) -> None:
    image, trimap = sample(333, 701), halves(thin(333, 701) | frame(333, 701))
    _, way = check(shipped(tile=tile), image, trimap)
    assert way == ("tiles" if isinstance(tile, int) and tile <= 333 else "whole")


def test_sixteen_bits_are_refined_as_eight(gca: Gca) -> None:
    image, trimap = sample(500, 700), halves(thin(500, 700))
    deep = Image(image.astype(np.uint16) * 257)
    assert np.abs(gca.refine(deep, trimap).alpha - gca.refine(image, trimap).alpha).max() < 1e-5


def test_views_are_as_good_as_copies(gca: Gca) -> None:
    image, trimap = sample(400, 660), halves(frame(400, 660) | thin(400, 660))
    turns: tuple[Callable[[NDArray[Any]], NDArray[Any]], ...] = (
        lambda array: array[:, ::-1],
        lambda array: array.swapaxes(0, 1),
        lambda array: array[::2, ::2],
    )
    for turn in turns:
        views = Image(turn(image)), Trimap(turn(trimap))
        own = Image(np.ascontiguousarray(views[0])), Trimap(np.ascontiguousarray(views[1]))
        for array in (*views, *own):
            array.flags.writeable = False
        assert np.array_equal(gca.refine(*views).alpha, gca.refine(*own).alpha)


@pytest.mark.parametrize("name", ["soft", "sharp"])
def test_runtimes_refine_alike(
    gca: Gca, portraits: dict[str, tuple[Image, Trimap]], name: str
) -> None:
    pytest.importorskip("openvino")
    image, trimap = portraits[name]
    band = trimap == UNKNOWN
    other = shipped("openvino")
    apart = np.abs(other.refine(image, trimap).alpha - gca.refine(image, trimap).alpha)[band]
    assert (apart > PARTS_RUNTIMES).mean() < PARTS_RUNTIMES_FLIPPED
    assert apart.mean() < PARTS_RUNTIMES / 10
    one, two = shipped(tile=96), shipped("openvino", tile=96)
    apart = np.abs(one.refine(image, trimap).alpha - two.refine(image, trimap).alpha)
    # Nothing is to settle, but what is just visible in one may be just invisible in the other.
    assert apart.max() < PARTS_RUNTIMES + MIN_VISIBLE_ALPHA
    assert np.count_nonzero(apart >= PARTS_RUNTIMES) <= 3


@pytest.mark.parametrize("shape", [(150, 1900), (3000, 1), (159, 161)])
def test_with_hardly_any_memory_low_pictures_are_seen_in_tiles(shape: tuple[int, int]) -> None:
    image, trimap = sample(*shape), halves(everywhere(*shape))
    assert check(shipped(max_memory="286MiB"), image, trimap)[1] == "tiles"
    assert check(shipped(max_memory="8GiB"), image, trimap)[1] == "whole"


def test_with_little_memory_networks_see_less_at_once() -> None:
    image, trimap = sample(400, 600), halves(everywhere(400, 600))
    assert check(shipped(), image, trimap)[1] == "whole"
    assert check(shipped(max_memory="326MiB"), image, trimap)[1] == "tiles"
    large, wide = sample(660, 650), halves(everywhere(660, 650))
    assert check(shipped(max_memory="326MiB"), large, wide)[1] == "copy and tiles"
