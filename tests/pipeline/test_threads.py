"""One pipeline, several threads."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

import matte
from matte.arrays import Image
from matte.media.pictures import read_photo
from tests.conftest import SAMPLE


@pytest.mark.parametrize("preset", ["fast", "balanced"])
@pytest.mark.filterwarnings("ignore::matte.errors.MatteWarning")
def test_threads_find_what_one_finds(preset: str) -> None:
    whole = read_photo(SAMPLE).pixels
    sizes = ((128, 128), (160, 96), (96, 192), (128, 128))
    pictures = [Image(np.asarray(cv2.resize(whole, size))) for size in sizes]
    pipeline = matte.load(preset, precision="fp32")
    alone = [pipeline(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(pipeline, pictures * 4))
    for number, found in enumerate(together):
        expected = alone[number % len(pictures)]
        assert np.array_equal(found.alpha, expected.alpha)
        assert np.array_equal(found.foreground, expected.foreground)
