from pathlib import Path

import numpy as np
import pytest

from matte.arrays import UNKNOWN, Confidence, Trimap
from matte.configs.lengths import parse_length
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.imaging.resizing import resize
from matte.media.pictures import read_image
from matte.runtime.opener import open_onnx_file
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.segmentation.masks import make_mask
from matte.trimap.drawing import draw_trimap, trimap_flaw, unknown_share
from matte.trimap.reach import MAX_DRAWN_UNKNOWN_SHARE
from matte.weights.store import all_weights
from tests.trimap.blobs import blob, sure

TINY = [(1, 1), (1, 2), (3, 3), (1, 300), (300, 1), (2, 5000)]
BANDS = [
    TrimapSettings(),
    TrimapSettings(k="auto"),
    TrimapSettings(width=parse_length("3")),
    TrimapSettings(width=parse_length("20%")),
]


@pytest.mark.parametrize("shape", TINY)
@pytest.mark.parametrize("settings", BANDS)
@pytest.mark.parametrize("kind", ["nothing", "everything", "half", "noise"])
def test_tiny_pictures_have_trimaps(
    shape: tuple[int, int], settings: TrimapSettings, kind: str
) -> None:
    noise = np.random.default_rng(3).random(shape)
    values = {"nothing": 0 * noise, "everything": 0 * noise + 1, "half": 0 * noise + 0.5}
    confidence = Confidence(values.get(kind, noise).astype(np.float32))
    mask = make_mask(confidence, SegmentationSettings())
    trimap = draw_trimap(mask, confidence, settings).trimap
    assert trimap.shape == shape
    assert trimap.dtype == np.uint8
    assert np.array_equal(trimap[trimap != UNKNOWN], mask[trimap != UNKNOWN])
    assert isinstance(trimap_flaw(trimap), str)


def test_a_learned_band_is_automatic_where_nothing_was_learnt() -> None:
    confidence = blob(300, 400, 0.02)
    mask, settings = sure(confidence), TrimapSettings(k="learned")
    automatic = draw_trimap(mask, confidence, TrimapSettings(k="auto"))
    assert np.array_equal(draw_trimap(mask, confidence, settings).trimap, automatic.trimap)
    unknown = np.zeros((75, 100), np.float32)
    unknown[20:50, 65:85] = 0.9
    learned = draw_trimap(mask, confidence, settings, unknown)
    assert learned.follows_confidence
    assert learned.description.endswith("wider where the edge is soft")
    unknown_parts = learned.trimap == UNKNOWN
    assert unknown_parts[:, 260:].mean() > unknown_parts[:, :200].mean()


@pytest.mark.parametrize("long_side", [400, 800, 1600])
def test_a_share_is_its_pixels(long_side: int) -> None:
    confidence = blob(3 * long_side // 4, long_side, 0.01)
    mask = sure(confidence)
    share, pixels = (
        draw_trimap(mask, confidence, TrimapSettings(width=parse_length(width))).trimap
        for width in ("2%", f"{0.02 * long_side}px")
    )
    assert np.array_equal(share, pixels)


def test_a_share_is_the_same_band_at_every_size() -> None:
    settings = TrimapSettings(width=parse_length("2%"))
    shares = []
    for scale in (1, 2, 5):
        confidence = Confidence(resize(blob(300, 400, 0.01), 300 * scale, 400 * scale))
        shares.append(unknown_share(draw_trimap(sure(confidence), confidence, settings).trimap))
    assert shares == pytest.approx([shares[0]] * 3, rel=0.1)


def test_what_is_told() -> None:
    confidence = blob(300, 400, 0.01)
    mask = sure(confidence)

    def told(settings: TrimapSettings) -> str:
        return draw_trimap(mask, confidence, settings).description

    assert told(TrimapSettings(width=parse_length("12"))) == "12.0 px to each side, as asked"
    assert told(TrimapSettings(k=5, iterations=2)) == "k = 5, 2 iterations, as asked"
    assert "eroded 1, dilated 3 times" in told(TrimapSettings(erode=1, dilate=3))
    assert "eroded 1, dilated 6 times" in told(TrimapSettings(erode=1))
    assert "where the segmenter is unsure" in told(TrimapSettings(k="auto"))


def test_a_mask_without_doubt_gets_one_width() -> None:
    hard = Confidence((blob(300, 400, 0.01) >= 0.5).astype(np.float32))
    mask = sure(hard)
    band = draw_trimap(mask, hard, TrimapSettings(k="auto"))
    assert "has no soft edge" in band.description
    assert not band.follows_confidence
    assert 0.02 < unknown_share(band.trimap) < 0.2
    assert draw_trimap(mask, blob(300, 400, 0.01), TrimapSettings(k="auto")).follows_confidence


def test_widespread_doubt_is_told() -> None:
    confidence = Confidence(np.clip(blob(300, 400, 0.004), 0.15, 0.85))
    band = draw_trimap(sure(confidence), confidence, TrimapSettings(k="auto"))
    assert "unsure of much" in band.description
    assert trimap_flaw(band.trimap) == ""


def test_the_samples_suit_is_not_all_unknown(sample: Path) -> None:
    """The segmenter is unsure of most of it: 40 % of the picture would be unknown."""
    settings = SegmentationSettings()
    weights = all_weights()[settings.segmenter]
    session = open_onnx_file(weights.path, "openvino")
    confidence = (
        LetterboxedSegmenter(session, settings, weights.size).segment(read_image(sample)).confidence
    )
    trimap = draw_trimap(
        make_mask(confidence, settings), confidence, TrimapSettings(k="auto")
    ).trimap
    assert trimap_flaw(trimap) == ""
    assert unknown_share(trimap) <= MAX_DRAWN_UNKNOWN_SHARE + 0.01
    assert (trimap[340:440, 100:200] == 255).mean() > 0.95, "the suit's middle"


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ((0, 128, 0, 128), "no sure subject"),
        ((0, 255, 0, 255), "nothing unknown"),
        ((255, 128, 255, 128), "no sure background"),
        ((128, 128, 128, 128, 0, 255), "67% of the trimap is unknown"),
        ((0, 128, 255, 0), ""),
    ],
)
def test_flaws_are_told_with_their_reason(parts: tuple[int, ...], why: str) -> None:
    found = trimap_flaw(Trimap(np.array([parts], np.uint8)))
    assert why in found
    assert bool(found) == bool(why)


@pytest.mark.parametrize(
    ("more", "kept", "moved"),
    [
        (TrimapSettings(k=3, iterations=2, erode=6), 0, 255),
        (TrimapSettings(k=3, iterations=2, dilate=6), 255, 0),
    ],
)
def test_one_side_may_reach_farther(more: TrimapSettings, kept: int, moved: int) -> None:
    confidence = blob(120, 160, 0.01)
    mask = sure(confidence)
    even = draw_trimap(mask, confidence, TrimapSettings(k=3, iterations=2)).trimap
    lopsided = draw_trimap(mask, confidence, more).trimap
    assert np.array_equal(lopsided == kept, even == kept)
    assert (lopsided == moved).sum() < (even == moved).sum()
