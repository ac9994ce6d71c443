import numpy as np
import pytest

from matte.arrays import Image
from matte.bench.frame_sizes import fit_to_frame, parse_frame_size
from matte.errors import SettingError
from tests.conftest import disc


@pytest.mark.parametrize(
    ("word", "size"),
    [
        ("1080p", (1920, 1080)),
        ("4K", (3840, 2160)),
        (" 512", (512, 512)),
        ("640x480", (640, 480)),
        ("64×48", (64, 48)),
    ],
)
def test_names_of_sizes(word: str, size: tuple[int, int]) -> None:
    found = parse_frame_size(word)
    assert (found.width, found.height) == size


@pytest.mark.parametrize("word", ["", "huge", "12", "512x", "99999", "-512", "1e3", "٥١٢"])
def test_what_is_no_size(word: str) -> None:
    with pytest.raises(SettingError, match="size"):
        parse_frame_size(word)


@pytest.mark.parametrize("word", ["128x64", "64x128", "320x240", "33x901"])
def test_a_picture_is_put_on_the_frame_whole(word: str) -> None:
    picture, _ = disc(96, 128)
    size = parse_frame_size(word)
    frame = fit_to_frame(picture, size)
    assert frame.shape == (size.height, size.width, 3)
    assert frame.dtype == np.uint8
    # The disc is in the middle, the corners are its ground.
    assert frame[size.height // 2, size.width // 2] == pytest.approx([230, 180, 60], abs=3)
    assert frame[0, 0] == pytest.approx([20, 60, 90], abs=3)


def test_sixteen_bits_become_eight() -> None:
    deep = Image(np.full((40, 40, 3), 257 * 200, np.uint16))
    assert (fit_to_frame(deep, parse_frame_size("64")) == 200).all()
