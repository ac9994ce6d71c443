import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import Confidence, Image
from matte.configs.settings import SegmentationSettings
from matte.imaging.letterbox import letterbox, unletterbox
from matte.imaging.resizing import resize
from matte.segmentation import sharpening as module
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.segmentation.sharpening import SUPERSAMPLING, sharpen_edges
from tests.fakes import FakeSession

Floats = NDArray[np.float32]
SIDE = 64


def disc(height: int, width: int) -> tuple[Image, NDArray[np.bool_]]:
    """A red disc on a blue ground, with grain; and where it is."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(y - height / 2, x - width / 2) < 0.31 * min(height, width)
    colours = np.where(inside[..., None], (200, 60, 40), (40, 70, 190))
    grain = np.random.default_rng(5).normal(0, 4, (height, width, 1))
    return Image(np.clip(colours + grain, 0, 255).astype(np.uint8)), inside


def softened(inside: NDArray[np.bool_], height: int, width: int) -> Floats:
    """What a network would tell that sees no finer than its size, and a little to the side."""
    seen = resize(inside.astype(np.float32), height, width)
    return np.asarray(np.roll(resize(resize(seen, height // 2, width // 2), height, width), 1, 1))


def both(image: Image, values: Floats) -> tuple[Confidence, Confidence]:
    """Interpolated, and sharpened."""
    box = letterbox(image, *values.shape)
    size = image.shape[0], image.shape[1]
    return Confidence(unletterbox(values, box, *size)), sharpen_edges(values, box, image, size)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_edge_goes_where_the_colours_change(depth: type[np.unsignedinteger]) -> None:
    image, inside = disc(480, 640)
    image = Image(image.astype(depth) * depth(257 if depth is np.uint16 else 1))
    plain, found = both(image, softened(inside, 48, 64))
    wrong, left = (((c >= 0.5) != inside).sum() for c in (plain, found))
    assert left < 0.35 * wrong
    assert found.dtype == np.float32


def test_there_is_less_doubt_and_no_new_one() -> None:
    image, inside = disc(480, 640)
    values = softened(inside, 48, 64)
    plain, found = both(image, values)
    doubts = [((c > 0.08) & (c < 0.92)).sum() for c in (plain, found)]
    assert doubts[1] < doubts[0]
    assert found.min() >= 0
    assert found.max() <= 1
    assert (found[values.max() - plain < 1e-6] > 0.5).all()


def test_it_is_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    image, inside = disc(480, 640)
    values = softened(inside, 48, 64)
    _, found = both(image, values)
    for side in (5, 1000):
        monkeypatch.setattr(module, "BLOCK", side)
        assert np.array_equal(both(image, values)[1], found)


def test_where_all_is_sure_nothing_is_sought() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
    values = np.full((24, 32), 0.995, np.float32)
    plain, found = both(Image(noise), values)
    assert np.allclose(found, plain, atol=1e-6)


def test_only_pictures_much_larger_than_the_network_sees_are_sharpened() -> None:
    for side, changed in ((SUPERSAMPLING * SIDE, False), (SUPERSAMPLING * SIDE + 40, True)):
        image, _ = disc(side * 3 // 4, side)
        segmenter = LetterboxedSegmenter(FakeSession(redness), SegmentationSettings(), SIDE)
        box = letterbox(image, SIDE, SIDE, 32)
        values = np.ascontiguousarray(redness(box.pixels.transpose(2, 0, 1)[None])[0, 0])
        plain = unletterbox(values, box, *image.shape[:2])
        assert np.array_equal(segmenter.segment(image).confidence, plain) != changed


def redness(blob: Floats) -> Floats:
    return blob[:, :1]


@pytest.mark.parametrize("shape", [(1, 999), (999, 1), (2, 300), (301, 777)])
def test_any_shape_comes_back(shape: tuple[int, int]) -> None:
    image = Image(np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8))
    before = image.copy()
    segmenter = LetterboxedSegmenter(FakeSession(redness), SegmentationSettings(), SIDE)
    confidence = segmenter.segment(image).confidence
    assert confidence.shape == shape
    assert (confidence >= 0).all()
    assert (confidence <= 1).all()
    assert np.array_equal(image, before)
