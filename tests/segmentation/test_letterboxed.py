from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import Image
from matte.configs.settings import SegmentationSettings
from matte.errors import WeightsError
from matte.imaging.resizing import resize
from matte.media.pictures import read_image
from matte.runtime.memory import MemoryLimit, NetworkCost
from matte.runtime.opener import open_onnx_file
from matte.runtime.session import BAND_OUTPUT
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.segmentation.masks import make_mask
from matte.weights.store import all_weights
from tests.fakes import FakeSession

Floats = NDArray[np.float32]
PEOPLE = ("person", "person-light")
SHAPES = [(1, 1), (2, 3), (61, 97), (3, 400), (640, 5), (480, 640)]


def redness(blob: Floats) -> Floats:
    return blob[:, :1]


@pytest.mark.parametrize("shape", SHAPES)
def test_confidences_have_the_pictures_size(shape: tuple[int, int]) -> None:
    segmenter = LetterboxedSegmenter(FakeSession(redness), SegmentationSettings(), 64)
    image = np.zeros((*shape, 3), np.uint8)
    image[:, : shape[1] // 2, 0] = 255
    confidence = segmenter.segment(Image(image)).confidence
    assert confidence.shape == shape
    assert confidence.dtype == np.float32
    assert (confidence >= 0).all()
    assert (confidence <= 1).all()


def test_pictures_are_not_squashed() -> None:
    session = FakeSession(redness)
    LetterboxedSegmenter(session, SegmentationSettings(), 64).segment(
        Image(np.zeros((90, 300, 3), np.uint8))
    )
    assert session.seen[0].shape == (1, 3, 32, 64)  # 19 × 64, padded to whole multiples of 32


@pytest.mark.parametrize("factor", [1, 9])
def test_a_second_map_is_the_band_without_padding(factor: int) -> None:
    session = FakeSession(lambda blob: blob[:, :2], output=BAND_OUTPUT)
    image = np.zeros((45 * factor, 150 * factor, 3), np.uint8)
    image[:, :, 1] = 51  # 0.2
    found = LetterboxedSegmenter(session, SegmentationSettings(), 64).segment(Image(image))
    assert found.confidence.shape == image.shape[:2]
    assert not found.confidence.any()
    assert found.unknown is not None
    assert found.unknown.shape == (19, 64)
    assert np.allclose(found.unknown, 0.2, atol=0.01)


def test_a_network_without_a_band_has_none() -> None:
    segmenter = LetterboxedSegmenter(FakeSession(redness), SegmentationSettings(), 64)
    assert segmenter.segment(Image(np.zeros((9, 9, 3), np.uint8))).unknown is None


def test_confidence_is_what_the_network_tells_whatever_the_threshold() -> None:
    image = Image(np.full((8, 8, 3), 102, np.uint8))  # 0.4
    for threshold in (0.3, 0.5):
        settings = SegmentationSettings(threshold=threshold)
        segmenter = LetterboxedSegmenter(FakeSession(redness), settings, 64)
        confidence = segmenter.segment(image).confidence
        assert np.allclose(confidence, 0.4)
        assert make_mask(confidence, settings).any() == (threshold < 0.4)


def test_the_size_is_the_settings_else_the_stores_else_the_files() -> None:
    image = Image(np.zeros((10, 10, 3), np.uint8))
    session = FakeSession(redness, metadata={"matte.size": "128"})
    for settings, stored, side in (
        (SegmentationSettings(size=96), 64, 96),
        (SegmentationSettings(), 64, 64),
        (SegmentationSettings(), 0, 128),
    ):
        LetterboxedSegmenter(session, settings, stored).segment(image)
        assert session.seen[-1].shape[-1] == side


def test_fixed_networks_get_their_size() -> None:
    session = FakeSession(redness, shape=(1, 3, 48, 80))
    confidence = (
        LetterboxedSegmenter(session, SegmentationSettings())
        .segment(Image(np.full((33, 20, 3), 255, np.uint8)))
        .confidence
    )
    assert session.seen[0].shape == (1, 3, 48, 80)
    assert (confidence == 1).all()


@pytest.mark.parametrize("shape", [(1, 6, 32, 32), (1, 3, 32), (1, 32, 32, 3), (1, 3, 32, None)])
def test_networks_with_other_inputs_are_refused(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(WeightsError, match="give a segmenter with one RGB input"):
        LetterboxedSegmenter(FakeSession(redness, shape=shape), SegmentationSettings(), 64)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda blob: blob[:, :2], "one output"),
        (lambda blob: blob[:, :1, ::4, ::4], "one output"),
        (lambda blob: blob[:, :1] * 9 - 4, "sigmoid"),
        (lambda blob: blob[:, :1] * np.float32("nan"), "sigmoid"),
    ],
)
def test_networks_with_other_outputs_are_refused(
    function: Callable[[Floats], Floats], message: str
) -> None:
    segmenter = LetterboxedSegmenter(FakeSession(function), SegmentationSettings(), 64)
    with pytest.raises(WeightsError, match=f"give a segmenter .*{message}"):
        segmenter.segment(Image(np.zeros((8, 8, 3), np.uint8)))


@pytest.mark.parametrize("told", ["banana", "0", "-64", "99999"])
def test_an_impossible_size_is_refused(told: str) -> None:
    session = FakeSession(redness, metadata={"matte.size": told})
    with pytest.raises(WeightsError, match="export it again"):
        LetterboxedSegmenter(session, SegmentationSettings())


@pytest.mark.parametrize("name", PEOPLE)
def test_shipped_networks_find_the_astronaut(name: str, sample: Path) -> None:
    weights = all_weights()[name]
    session = open_onnx_file(weights.path, "openvino")
    segmenter = LetterboxedSegmenter(session, SegmentationSettings(), weights.size)
    image = read_image(sample)
    confidence = segmenter.segment(image).confidence
    mask = make_mask(confidence, SegmentationSettings())
    assert (mask[100:180, 195:250] == 255).mean() > 0.98, "the face"
    assert (mask[320:420, 120:280] == 255).mean() > 0.9, "the suit, with its straps"
    assert (mask[20:140, 300:380] == 0).mean() > 0.95, "the wall"
    assert np.array_equal(segmenter.segment(image).confidence, confidence), "deterministic"


@pytest.mark.parametrize("grey", [0, 90, 128, 255])
def test_the_default_finds_nobody_on_a_card(grey: int) -> None:
    weights = all_weights()[SegmentationSettings().segmenter]
    session = open_onnx_file(weights.path, "openvino")
    segmenter = LetterboxedSegmenter(session, SegmentationSettings(), weights.size)
    card = Image(np.full((200, 300, 3), grey, np.uint8))
    assert not make_mask(segmenter.segment(card).confidence, SegmentationSettings()).any()


def test_a_map_of_another_size_is_the_networks_own_brought_there() -> None:
    image = np.zeros((150, 200, 3), np.uint8)
    image[50:, 75:, 0] = 255
    segmenter = LetterboxedSegmenter(FakeSession(redness), SegmentationSettings(), 64)
    own = segmenter.segment(Image(image), (48, 64)).confidence
    assert np.array_equal(own, resize(image, 48, 64)[:, :, 0] / np.float32(255))
    assert segmenter.segment(Image(image), (30, 40)).confidence.shape == (30, 40)
    large = Image(np.repeat(np.repeat(image, 4, 0), 4, 1))  # its edges are sharpened
    assert segmenter.segment(large, (30, 40)).confidence.shape == (30, 40)


def test_a_network_sees_pictures_as_small_as_the_memory_needs() -> None:
    image = Image(np.zeros((480, 640, 3), np.uint8))
    seen = []
    for mebibytes in (4000, 600, 400, 200):
        session = FakeSession(redness)
        limit, cost = MemoryLimit(mebibytes << 20), NetworkCost(3500, 0)
        segmenter = LetterboxedSegmenter(
            session, SegmentationSettings(), 384, memory=limit, cost=cost
        )
        assert segmenter.segment(image).confidence.shape == (480, 640)
        seen.append(session.seen[-1].shape[2:])
    assert seen[0] == (288, 384)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == (32, 32), "there is no memory at all: the smallest"
    for (height, width), mebibytes in zip(seen[1:3], (600, 400), strict=True):
        assert (256 << 20) + 3500 * height * width < mebibytes << 20
