import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.imaging.resizing import resize
from matte.imaging.strips import EnlargedColumns, resize_strips, strip_slices

SIZES = [(1, 1), (1, 70), (70, 1), (2, 3), (31, 46), (64, 50)]


@given(st.integers(1, 400_000), st.integers(1, 400_000))
def test_strips_cover_everything_once_and_none_is_a_single_line(lines: int, across: int) -> None:
    parts = list(strip_slices(lines, across))
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == lines
    assert all(part.stop - part.start >= min(2, lines) for part in parts)


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("times", [1, 1.9, 4, 7.3])
def test_columns_are_those_of_the_whole(
    size: tuple[int, int], times: float, channels: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", 700)
    values = np.random.default_rng(0).random((*size, *channels)).astype(np.float32)
    height, width = (int(times * side) for side in size)
    whole, grown = resize(values, height, width), EnlargedColumns(values, height, width)
    found = np.concatenate([grown[part] for part in strip_slices(width, height)], axis=1)
    assert found.shape == whole.shape
    assert np.abs(found - whole).max() < 1e-5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("times", [1, 2, 3.3, 9])
def test_rows_shrink_as_the_whole(
    size: tuple[int, int], times: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", 100)
    values = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    height, width = (max(1, int(side / times)) for side in size)
    found = resize_strips((values[part] for part in strip_slices(*size)), height, width)
    assert np.abs(found - resize(values, height, width)).max() < 1e-5
