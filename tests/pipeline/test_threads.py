"""One pipeline, several threads."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

import matte
from matte.arrays import Image
from matte.media.pictures import read_photo
from matte.pipeline.run import BuiltPipeline
from matte.stages import Matte
from tests.conftest import SAMPLE


def pictures(*sizes: tuple[int, int]) -> list[Image]:
    whole = read_photo(SAMPLE).pixels
    return [Image(np.asarray(cv2.resize(whole, size))) for size in sizes]


def check_same(pipeline: BuiltPipeline, given: list[Image], times: int) -> list[Matte]:
    """That threads find what one finds, which is given."""
    alone = [pipeline(picture) for picture in given]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(pipeline, given * times))
    for number, found in enumerate(together):
        expected = alone[number % len(given)]
        assert np.array_equal(found.alpha, expected.alpha)
        assert np.array_equal(found.foreground, expected.foreground)
    return alone


@pytest.mark.parametrize("preset", ["fast", "balanced"])
@pytest.mark.filterwarnings("ignore::matte.errors.MatteWarning")
def test_threads_find_what_one_finds(preset: str) -> None:
    given = pictures((128, 128), (160, 96), (96, 192), (128, 128))
    check_same(matte.load(preset, precision="fp32"), given, 4)


def test_threads_refine_in_tiles_and_after_a_small_copy() -> None:
    pipeline = matte.load("fast", precision="fp32", width="2%")
    found = check_same(pipeline, pictures((700, 700), (1920, 900)), 1)
    assert [each.report["refined"]["way"] for each in found] == ["tiles", "copy and tiles"]
