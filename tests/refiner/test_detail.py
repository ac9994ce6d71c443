"""Where a picture shows more than a small copy would."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, UNKNOWN, Image, Trimap
from matte.imaging.resizing import resize
from matte.media.pictures import read_photo
from matte.refiner.detail import BLOCK, CELL, Cells, detail_cells
from tests.conftest import SAMPLE


def strands(height: int, width: int, count: int = 1) -> Image:
    """Dark lines, a pixel thin, on a plain bright ground with a little grain."""
    picture = np.full((height, width), 190, np.uint8)
    for number in range(count):
        x = (2 * number + 1) * width // (2 * count)
        cv2.line(picture, (x - height // 8, 0), (x + height // 8, height), (30,), 1, cv2.LINE_AA)
    return grained(np.repeat(picture[:, :, None], 3, 2), 1.5)


def grained(picture: NDArray[Any], deviation: float) -> Image:
    noise = np.random.default_rng(0).normal(0, deviation, picture.shape)
    return Image(np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8))


def everywhere(image: Image) -> Trimap:
    return Trimap(np.full(image.shape[:2], UNKNOWN, np.uint8))


def cells_of(image: Image) -> Cells:
    return detail_cells(image, everywhere(image))


def test_a_sharp_strand_is_detail_and_its_ground_is_not() -> None:
    found = cells_of(strands(400, 480))
    assert found.shape == (50, 60)
    rows = np.arange(50)
    middle = np.rint((240 - 50 + (rows + 0.5) * 2) / CELL - 0.5).astype(int)
    assert found[rows, middle].mean() > 0.95
    assert found.mean() < 0.1


def test_enlarged_it_is_none() -> None:
    enlarged = resize(strands(100, 120), 600, 720)
    assert cells_of(Image(enlarged)).mean() < 0.01
    assert cells_of(grained(enlarged, 3)).mean() < 0.01


def test_a_photo_has_the_less_the_more_it_is_enlarged() -> None:
    photo = read_photo(SAMPLE).pixels[:256, 128:384]
    own, four, six = (
        cells_of(Image(resize(photo, 256 * times, 256 * times))).mean() for times in (1, 4, 6)
    )
    assert four < 0.6 * own
    assert six < own / 8


@pytest.mark.parametrize("deviation", [0, 1, 4, 12])
def test_plain_grain_is_none(deviation: float) -> None:
    plain = grained(np.full((400, 480, 3), 120, np.uint8), deviation)
    assert cells_of(plain).mean() < 0.01


def test_what_lies_far_from_the_unknown_is_not_looked_at() -> None:
    image = strands(2 * BLOCK, 2 * BLOCK + 40, 6)
    trimap = np.full(image.shape[:2], BACKGROUND, np.uint8)
    assert not detail_cells(image, Trimap(trimap)).any()
    trimap[10, 10] = UNKNOWN
    found = detail_cells(image, Trimap(trimap))
    beyond = BLOCK // CELL + 1
    assert found[:beyond, :beyond].any()
    assert not found[beyond:].any()
    assert not found[:, beyond:].any()


@pytest.mark.parametrize("shape", [(256, 256), (200, 333), (140, 515)])
def test_blocks_find_what_one_block_finds(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = strands(*shape, 3)
    one = cells_of(image)
    assert one.any()
    monkeypatch.setattr("matte.refiner.detail.BLOCK", 64)
    assert np.array_equal(cells_of(image), one)


def test_sixteen_bits_tell_the_same_as_eight() -> None:
    image = strands(200, 300, 3)
    deep = Image(image.astype(np.uint16) * 257)
    assert (cells_of(deep) != cells_of(image)).mean() < 0.01  # 8 bits round grey


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (3, 5), (161, 163), (513, 520)])
def test_odd_sizes_have_a_cell_for_each_pixel(shape: tuple[int, int]) -> None:
    found = cells_of(grained(np.full((*shape, 3), 99, np.uint8), 3))
    assert found.shape == (-(-shape[0] // CELL), -(-shape[1] // CELL))
    assert found.dtype == bool
