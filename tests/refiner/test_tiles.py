"""Pictures in parts: everything unknown is covered, no seams, the same as whole."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import matte
from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.configs.settings import Config, RefinerSettings, RuntimeSettings
from matte.media.pictures import read_photo
from matte.pipeline.build import build_refiner
from matte.refiner import tiles
from matte.refiner.gca import Gca
from matte.refiner.tiles import CONTEXT, SIDE, Plan, places, plan, refine_tiles, settled
from tests.conftest import SAMPLE
from tests.tolerances import BATCHED, TILED, TILED_STEPS


def red(
    images: Sequence[Image], trimaps: Sequence[Trimap], ratio: float
) -> list[NDArray[np.float32]]:
    """A network whose alpha is the picture's red."""
    assert 0 <= ratio <= 1
    assert all(trimap.shape == (SIDE, SIDE) for trimap in trimaps)
    return [np.asarray(image[:, :, 0] / 255, np.float32) for image in images]


def noise(height: int, width: int) -> Image:
    return Image(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def trimap_of(unknown: NDArray[np.bool_]) -> Trimap:
    return Trimap(np.where(unknown, UNKNOWN, BACKGROUND).astype(np.uint8))


def islands(height: int, width: int) -> NDArray[np.bool_]:
    return np.random.default_rng(2).random((height, width)) < 0.02


def frame(height: int, width: int) -> NDArray[np.bool_]:
    found = np.zeros((height, width), bool)
    found[[0, -1]] = found[:, [0, -1]] = True
    return found


def line(height: int, width: int) -> NDArray[np.bool_]:
    found = np.zeros((height, width), bool)
    found[np.arange(height), np.arange(height) * (width - 1) // (height - 1)] = True
    return found


@pytest.mark.parametrize("shape", [(160, 160), (161, 517), (700, 333)])
@pytest.mark.parametrize("unknown", [islands, frame, line, lambda h, w: np.ones((h, w), bool)])
def test_tiles_together_are_the_whole(shape: tuple[int, int], unknown: object) -> None:
    assert callable(unknown)
    image, where = noise(*shape), unknown(*shape)
    alpha = refine_tiles(image, trimap_of(where), 0.1, red)
    np.testing.assert_allclose(alpha[where], image[:, :, 0][where] / 255, atol=1e-6)


@given(st.integers(SIDE, 600), st.integers(SIDE, 600), st.integers(0, 9), st.integers(0, 99))
def test_all_that_is_unknown_lies_within_tiles(
    height: int, width: int, spots: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    unknown = np.zeros((height, width), bool)
    for y, x in random.integers(0, (height, width), (spots, 2)):
        unknown[max(0, y - 20) : y + 20, max(0, x - 30) : x + 30] = True
    rest = unknown.copy()
    for y, x in places(unknown, SIDE):
        assert 0 <= y <= height - SIDE
        assert 0 <= x <= width - SIDE
        # At the picture's border there is no neighbour, and all of the tile counts.
        rows = slice(y + CONTEXT * (y > 0), y + SIDE - CONTEXT * (y + SIDE < height))
        columns = slice(x + CONTEXT * (x > 0), x + SIDE - CONTEXT * (x + SIDE < width))
        rest[rows, columns] = False
    assert not rest.any()
    assert bool(places(unknown, SIDE)) == unknown.any()


def test_the_cheapest_way_is_planned() -> None:
    def banded(height: int, width: int, half: int) -> Trimap:
        unknown = np.zeros((height, width), bool)
        unknown[:, width // 2 - half : width // 2 + half] = True
        return trimap_of(unknown)

    assert plan(banded(500, 400, 190)).whole
    assert plan(banded(100, 5000, 40)).whole, "too low for a tile"
    assert plan(banded(3000, 4000, 5)) == Plan()
    assert plan(banded(1080, 1920, 500)) == Plan(small=(360, 640))
    assert plan(banded(3000, 4000, 1500)) == Plan(small=(1000, 1333)), "a third at most"


def test_what_a_small_copy_is_sure_of_is_settled() -> None:
    small = Alpha(np.zeros((60, 80), np.float32))
    small[:, 40:] = 1
    small[20, 10] = 0.5
    trimap = Trimap(np.full((240, 320), UNKNOWN, np.uint8))
    trimap[:, 155:162] = BACKGROUND
    trimap[:, -8:] = SUBJECT
    told = settled(trimap, small)
    assert (told[trimap != UNKNOWN] == trimap[trimap != UNKNOWN]).all()
    assert (told[:, 140:180][trimap[:, 140:180] == UNKNOWN] == UNKNOWN).mean() > 0.5, "an edge"
    assert told[82, 42] == UNKNOWN, "soft alpha"
    assert (told[:, 60:140] == BACKGROUND).all()
    assert (told[:, 190:] == SUBJECT).all()


@pytest.fixture(scope="module")
def portrait() -> tuple[Image, Trimap]:
    """The sample at 1000 pixels, with a band around what the segmenter finds."""
    sample = read_photo(SAMPLE).pixels
    image = Image(np.asarray(cv2.resize(sample, (1000, 1000), interpolation=cv2.INTER_CUBIC)))
    trimap = matte.load("fast", refiner="smooth", k=5, iterations=4)(image).trimap
    assert trimap is not None
    return image, Trimap(trimap)


@pytest.fixture(scope="module")
def gca() -> Gca:
    runtime = RuntimeSettings(backend="onnx", precision="fp32")
    refiner = build_refiner(Config(refiner=RefinerSettings("gca-slim"), runtime=runtime))
    assert isinstance(refiner, Gca)
    return refiner


def alpha_of(gca: Gca, portrait: tuple[Image, Trimap], way: Plan) -> Alpha:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "plan", lambda trimap: way if max(trimap.shape) > 640 else WHOLE)
        return gca.refine(*portrait)


WHOLE = Plan(whole=True)
TILES, SMALL = Plan(), Plan(small=(500, 500))


@pytest.mark.parametrize("way", [TILES, SMALL])
def test_parts_are_near_the_whole_without_seams(
    gca: Gca, portrait: tuple[Image, Trimap], way: Plan
) -> None:
    whole, parts = (alpha_of(gca, portrait, w) for w in (WHOLE, way))
    trimap = portrait[1]
    band = trimap == UNKNOWN
    assert np.abs(parts - whole)[band].mean() < TILED
    # Steps between neighbours where the inner parts of tiles meet are as large as elsewhere.
    corners = places(band, SIDE)
    border = np.zeros(band.shape, bool)
    for y, x in corners:
        border[y + CONTEXT : y + SIDE - CONTEXT, [x + CONTEXT, x + SIDE - CONTEXT]] = True
    steps = np.abs(np.diff(parts, axis=1, prepend=0))
    assert steps[band & border].mean() < TILED_STEPS * steps[band & ~border].mean()


def test_the_number_of_tiles_at_once_changes_nothing(
    gca: Gca, portrait: tuple[Image, Trimap], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = alpha_of(gca, portrait, TILES)
    monkeypatch.setattr(tiles, "TOGETHER", 1)
    assert np.abs(alpha_of(gca, portrait, TILES) - together).max() < BATCHED
