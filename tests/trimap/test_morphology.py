import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matte.arrays import Mask, as_mask
from matte.configs.settings import TrimapSettings
from matte.errors import MatteWarning
from matte.trimap.drawing import unknown_share
from matte.trimap.morphology import kernel_band


def recipe(mask: NDArray[np.uint8], k: int, iterations: int) -> NDArray[np.uint8]:
    """The ancestors' recipe, written down once more: what users' old trimaps were made with."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
    dilated = cv2.dilate(mask, kernel, iterations=iterations)
    eroded = cv2.erode(mask, kernel, iterations=iterations)
    trimap = np.zeros(mask.shape, np.uint8)
    trimap.fill(128)
    trimap[eroded >= 255] = 255
    trimap[dilated <= 0] = 0
    return trimap


def blobs() -> Mask:
    random = np.random.default_rng(5)
    return as_mask(cv2.resize(random.random((6, 7)), (211, 173)) > 0.6)


@pytest.mark.parametrize("k", range(1, 16))
def test_bit_for_bit_the_recipe(k: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatteWarning)
        trimap = kernel_band(blobs(), TrimapSettings(k=k))
    assert np.array_equal(trimap, recipe(blobs(), k, 6))


def test_even_kernels_are_exact_but_warned_about() -> None:
    with pytest.warns(MatteWarning, match="k = 12 is even.*use 11 or 13"):
        kernel_band(blobs(), TrimapSettings(k=12))


@given(
    arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20))),
    st.sampled_from([1, 3, 5]),
    st.integers(1, 3),
    st.sampled_from(["ellipse", "rect", "cross"]),
)
@settings(deadline=None)
def test_what_is_sure_agrees_with_the_mask(
    subject: NDArray[np.bool_], k: int, iterations: int, shape: str
) -> None:
    trimap = kernel_band(
        as_mask(subject),
        TrimapSettings(k=k, iterations=iterations, shape=shape),  # type: ignore[arg-type]  # drawn from its values
    )
    assert subject[trimap == 255].all()
    assert not subject[trimap == 0].any()
    assert set(np.unique(trimap)) <= {0, 128, 255}


def test_the_mask_stays_as_it_was() -> None:
    mask = blobs()
    before = mask.copy()
    kernel_band(mask, TrimapSettings())
    assert np.array_equal(mask, before)


def test_unknown_share() -> None:
    trimap = kernel_band(blobs(), TrimapSettings(k=3, iterations=1))
    assert unknown_share(trimap) == (trimap == 128).mean()


def test_huge_kernels_end_when_nothing_is_left_to_do() -> None:
    trimap = kernel_band(blobs(), TrimapSettings(k=101, iterations=100, shape="rect"))
    assert (trimap == 128).all()


MASKS = arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20)))
ODD = st.sampled_from([3, 5, 7])


@given(MASKS, ODD, st.integers(1, 3), st.sampled_from(["ellipse", "rect", "cross"]))
def test_a_band_holds_the_masks_edge(
    subject: NDArray[np.bool_], k: int, iterations: int, shape: str
) -> None:
    mask = as_mask(subject)
    drawn = TrimapSettings(k=k, iterations=iterations, shape=shape)  # type: ignore[arg-type]  # drawn from its values
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    edge = cv2.dilate(mask, cross) != cv2.erode(mask, cross)
    assert (kernel_band(mask, drawn)[edge] == 128).all()


@given(MASKS, ODD, st.integers(1, 3), st.sampled_from([(2, 0), (0, 1), (2, 1)]))
def test_larger_kernels_and_more_iterations_take_nothing_back(
    subject: NDArray[np.bool_], k: int, iterations: int, more: tuple[int, int]
) -> None:
    narrow = kernel_band(as_mask(subject), TrimapSettings(k=k, iterations=iterations))
    wide = kernel_band(
        as_mask(subject), TrimapSettings(k=k + more[0], iterations=iterations + more[1])
    )
    assert (wide[narrow == 128] == 128).all()


@given(MASKS, st.integers(0, 4), st.integers(0, 4))
def test_erosion_and_dilation_are_counted_apart(
    subject: NDArray[np.bool_], erode: int, dilate: int
) -> None:
    mask = as_mask(subject)
    both = kernel_band(mask, TrimapSettings(k=3, erode=erode, dilate=dilate))
    inner = kernel_band(mask, TrimapSettings(k=3, erode=erode, dilate=0))
    outer = kernel_band(mask, TrimapSettings(k=3, erode=0, dilate=dilate))
    assert np.array_equal(both == 255, inner == 255)
    assert np.array_equal(both == 0, outer == 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 3)])
@pytest.mark.parametrize("value", [0, 255])
def test_tiny_masks_of_one_kind_have_no_band(shape: tuple[int, int], value: int) -> None:
    mask = as_mask(np.full(shape, value, np.uint8))
    assert np.array_equal(kernel_band(mask, TrimapSettings()), mask)
