"""Results cut, scaled and encoded."""

from dataclasses import replace

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.configs.loader import merge_settings
from matte.media.pictures import Photo
from matte.server.asked import parse_asked
from matte.server.problems import ProblemError
from matte.server.results import encode_result, make_preview
from tests.server.running import pixels

BASE = merge_settings("fast")
RED = Image(np.full((20, 30, 3), (200, 10, 20), np.uint8))
HALF = Alpha(np.tile(np.linspace(0, 1, 30, dtype=np.float32), (20, 1)))


def test_a_lossy_file_is_smaller_and_as_large() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for kind in ("webp", "jpeg"):
        asked = parse_asked("composite", {"bg": "white", "format": kind, "lossy": "1"}, BASE)
        small = encode_result(noise, asked, Photo(Image(noise)))
        exact = encode_result(noise, replace(asked, is_lossy=False), Photo(Image(noise)))
        assert len(small) < len(exact)
        assert pixels(small).shape == (64, 64, 3)
    deep = noise.astype(np.uint16) * 257
    assert pixels(encode_result(deep, asked, Photo(Image(deep)))).dtype == np.uint8


def test_a_small_cut_out_keeps_its_colours() -> None:
    asked = parse_asked("cutout", {"max_side": "10"}, BASE)
    small = pixels(make_preview(RED, HALF, asked).data)
    assert small.shape == (7, 10, 4)
    seen = small[small[:, :, 3] > 20]
    assert np.abs(seen[:, :3].astype(int) - (200, 10, 20)).max() <= 1


def test_a_preview_is_on_a_colour_or_on_nothing() -> None:
    white = make_preview(RED, HALF, parse_asked("composite", {"bg": "white"}, BASE))
    assert tuple(pixels(white.data)[0, 0]) == (255, 255, 255)
    with pytest.raises(ProblemError):
        make_preview(RED, HALF, parse_asked("composite", {"bg": "blur"}, BASE))
