import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matte.arrays import Confidence
from matte.configs.settings import SegmentationSettings
from matte.segmentation.masks import make_mask

CONFIDENCES = arrays(
    np.float32,
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    elements=st.floats(0, 1, width=32),
)
ALL = SegmentationSettings(
    keep_parts=1, fill_holes=0.2, open_mask=2, close_mask=500, smooth_mask=500
)


def drawn(*rows: str) -> Confidence:
    """1 where there is a #."""
    return Confidence(np.array([[c == "#" for c in row] for row in rows], np.float32))


def shown(confidence: Confidence, **settings: float) -> list[str]:
    mask = make_mask(confidence, SegmentationSettings(**settings))  # type: ignore[arg-type]  # some are whole
    return ["".join("#" if pixel else "." for pixel in row) for row in mask]


@given(CONFIDENCES, st.floats(0.01, 0.99))
def test_without_options_the_threshold_alone_decides(
    values: NDArray[np.float32], threshold: float
) -> None:
    mask = make_mask(Confidence(values), SegmentationSettings(threshold=threshold))
    assert np.array_equal(mask == 255, values >= threshold)
    assert set(np.unique(mask)) <= {0, 255}


@given(CONFIDENCES, st.integers(1, 4))
def test_opening_only_removes_and_closing_only_adds(
    values: NDArray[np.float32], radius: int
) -> None:
    plain = make_mask(Confidence(values), SegmentationSettings())
    for name, removes in (("open_mask", True), ("close_mask", False)):
        settings = SegmentationSettings(**{name: radius})  # type: ignore[arg-type]  # an int
        once = make_mask(Confidence(values), settings)
        assert (once <= plain).all() if removes else (once >= plain).all()


def test_the_largest_parts_are_kept() -> None:
    parts = drawn("##..#", "##...", "....#", "###.#")
    assert shown(parts, keep_parts=1) == ["##...", "##...", ".....", "....."]
    assert shown(parts, keep_parts=2) == ["##...", "##...", ".....", "###.."]
    assert shown(parts, keep_parts=9) == shown(parts)


def test_parts_hang_together_at_corners_and_holes_do_not() -> None:
    corner = drawn("#..", ".#.", "..#")
    assert shown(corner, keep_parts=1) == shown(corner)
    ring = drawn(".....", "..#..", ".#.#.", "..#..", ".....")
    assert shown(ring, fill_holes=0.04) == [".....", "..#..", ".###.", "..#..", "....."]


def test_holes_are_filled_by_size_and_only_inside() -> None:
    holes = drawn("########", "#.##..##", "####..##", "#######.")
    assert shown(holes, fill_holes=1 / 32) == ["########", "####..##", "####..##", "#######."]
    assert shown(holes, fill_holes=1.0) == ["########", "########", "########", "#######."]


def test_specks_go_and_gaps_close() -> None:
    confidence = Confidence(np.zeros((40, 60), np.float32))
    confidence[10:30, 10:50] = 1
    confidence[10:30, 30] = 0
    confidence[2, 2] = 1
    opened, closed = (
        make_mask(confidence, SegmentationSettings(open_mask=2)),
        make_mask(confidence, SegmentationSettings(close_mask=2)),
    )
    assert opened[2, 2] == 0
    assert opened[20, 20] == 255
    assert closed[20, 30] == 255
    assert closed[2, 2] == 255


def test_a_mask_that_ends_at_the_border_stays_there() -> None:
    confidence = Confidence(np.zeros((40, 60), np.float32))
    confidence[20:] = 1
    plain = make_mask(confidence, SegmentationSettings())
    for name in ("open_mask", "close_mask", "smooth_mask"):
        settings = SegmentationSettings(**{name: 5})  # type: ignore[arg-type]  # an int
        assert np.array_equal(make_mask(confidence, settings), plain)


def test_smoothing_rounds_steps() -> None:
    confidence = Confidence(np.zeros((40, 60), np.float32))
    confidence[20:] = 1
    confidence[19, 30] = 1
    mask = make_mask(confidence, SegmentationSettings(smooth_mask=3))
    assert mask[19, 30] == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 3)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_tiny_pictures_have_masks(shape: tuple[int, int], value: float) -> None:
    mask = make_mask(Confidence(np.full(shape, value, np.float32)), ALL)
    assert mask.shape == shape
    assert (mask == (255 if value >= 0.5 else 0)).all()


def test_the_confidence_stays_as_it_was() -> None:
    values = np.random.default_rng(4).random((30, 40)).astype(np.float32)
    before = values.copy()
    make_mask(Confidence(values), ALL)
    assert np.array_equal(values, before)
