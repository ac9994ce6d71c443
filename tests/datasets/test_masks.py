import cv2
import numpy as np
import pytest

from matte.arrays import Uint8Array
from matte.datasets.masks import mask_from_grey
from matte.datasets.samples import UnusableError
from tests.datasets.sets import photo


def disc(side: int = 200, ignored: bool = False) -> Uint8Array:
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), side // 3, 255, -1)
    if ignored:
        mask[:40] = 128
    return mask


def smooth(mask: Uint8Array, scale: float) -> Uint8Array:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, None, fx=scale, fy=scale, interpolation=method), np.uint8)


@pytest.mark.parametrize("scale", [0.3, 0.77, 2])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_smooth_edge_does_not_count(scale: float, ignored: bool) -> None:
    mask = smooth(disc(ignored=ignored), scale)
    between = ~np.isin(mask, (0, 128, 255))
    assert between.any()
    truth = mask_from_grey(mask, "m.png")
    assert (truth[between] == 128).all()
    assert (truth[~between] == mask[~between]).all()


@pytest.mark.parametrize("mask", [disc(), disc(ignored=True), disc() // 255, np.zeros_like(disc())])
def test_sharp_masks_stay(mask: Uint8Array) -> None:
    assert (mask_from_grey(mask, "m.png") == (mask * 255 if mask.max() == 1 else mask)).all()


def test_a_large_picture_may_have_a_wider_edge() -> None:
    small, large = smooth(disc(150), 4), smooth(disc(600), 4)
    wide = np.asarray(cv2.blur(large, (13, 13)), np.uint8)
    assert set(np.unique(mask_from_grey(wide, "m.png"))) == {0, 128, 255}
    with pytest.raises(UnusableError):
        mask_from_grey(np.asarray(cv2.blur(small, (13, 13)), np.uint8), "m.png")


@pytest.mark.parametrize(
    "grey",
    [
        cv2.GaussianBlur(disc(), (0, 0), 6),  # a matte
        photo(200, 200)[:, :, 0],  # a picture
        np.full((50, 50), 3, np.uint8),
        np.where(disc() > 0, 15, 0).astype(np.uint8),  # class numbers
        np.where(disc() > 0, 254, 0).astype(np.uint8),
    ],
)
def test_what_is_no_mask_is_refused(grey: Uint8Array) -> None:
    with pytest.raises(UnusableError, match=r"m\.png has the values \d+.*: a mask is of 0, 128"):
        mask_from_grey(grey, "m.png")
