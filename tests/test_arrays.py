import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matte.arrays import as_alpha, as_image, as_mask, as_trimap, same_size
from matte.errors import PictureError

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))


def test_images_are_rgb_of_8_or_16_bits() -> None:
    for dtype in (np.uint8, np.uint16):
        assert as_image(np.zeros((2, 3, 3), dtype)).dtype == dtype
    assert as_image(np.full((2, 3), 7, np.uint8)).shape == (2, 3, 3)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3, 3)),
        np.zeros((2, 3, 4), np.uint8),
        np.zeros((2,), np.uint8),
        np.zeros((0, 3, 3), np.uint8),
        "photo.jpg",
    ],
)
def test_other_images_are_refused_with_the_remedy(array: NDArray[np.uint8]) -> None:
    with pytest.raises(PictureError, match=": give"):
        as_image(array)


@given(arrays(np.uint8, SHAPES))
def test_masks_split_at_the_middle(values: NDArray[np.uint8]) -> None:
    mask = as_mask(values)
    assert set(np.unique(mask)) <= {0, 255}
    assert ((mask == 255) == (values >= 128)).all()


@given(arrays(np.uint8, SHAPES))
def test_trimaps_are_sorted_at_85_and_170(values: NDArray[np.uint8]) -> None:
    trimap = as_trimap(values)
    assert ((trimap == 0) == (values < 85)).all()
    assert ((trimap == 255) == (values >= 170)).all()
    assert set(np.unique(trimap)) <= {0, 128, 255}


@given(arrays(np.uint8, SHAPES))
def test_alpha_of_bytes_is_their_share_of_255(values: NDArray[np.uint8]) -> None:
    assert np.array_equal(np.rint(as_alpha(values) * 255).astype(np.uint8), values)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.01, 1.01])
def test_alpha_outside_its_range_is_refused(bad: float) -> None:
    with pytest.raises(PictureError, match="outside 0 … 1"):
        as_alpha(np.array([[0.5, bad]]))


def test_different_sizes_are_named() -> None:
    with pytest.raises(PictureError, match="the trimap is 4×3, the picture 5×3"):
        same_size(("picture", np.zeros((3, 5, 3))), ("trimap", np.zeros((3, 4))))
