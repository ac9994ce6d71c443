"""Steps that are done again only if what they depend on has changed."""

import numpy as np
import pytest

from matte.arrays import Image
from matte.configs.loader import merge_settings
from matte.media.pictures import Photo, read_photo
from matte.pipeline.build import build
from matte.server.cache import StepCache
from matte.server.networks import SharedNetworks
from matte.server.quick import QUICK_SIDE
from matte.server.steps import PictureSource, PictureSteps
from matte.server.strokes import Stroke
from tests.conftest import SAMPLE
from tests.server.running import QUICK

SETTINGS = merge_settings("fast", flags=QUICK)
STROKE = Stroke("unknown", 15, ((250.0, 60.0), (300.0, 80.0)))


@pytest.fixture(scope="module")
def networks(home_of_run: object) -> SharedNetworks:
    return SharedNetworks(SETTINGS.config.runtime)


@pytest.fixture(scope="module")
def photo() -> Photo:
    return read_photo(SAMPLE)


@pytest.fixture
def cache() -> StepCache:
    return StepCache(1 << 30)


def steps(
    photo: Photo,
    networks: SharedNetworks,
    cache: StepCache,
    strokes: tuple[Stroke, ...] = (),
    quick: bool = False,
) -> PictureSteps:
    source = PictureSource("id", "me.jpg", lambda: photo, strokes)
    return PictureSteps(source, SETTINGS, quick, networks, cache)


def test_it_is_the_line_s_result(photo: Photo, networks: SharedNetworks, cache: StepCache) -> None:
    found = steps(photo, networks, cache).found()
    expected = build(SETTINGS)(SAMPLE)
    assert np.array_equal(found.alpha, expected.alpha)
    assert found.trimap is not None
    assert expected.trimap is not None
    assert np.array_equal(found.trimap, expected.trimap)
    assert np.array_equal(steps(photo, networks, cache).colours(), expected.foreground)


def test_a_stroke_gives_what_its_trimap_gives(
    photo: Photo, networks: SharedNetworks, cache: StepCache
) -> None:
    steps(photo, networks, cache).found()
    after = steps(photo, networks, cache, (STROKE,))
    found, pipeline = after.found(), build(SETTINGS)
    anew = pipeline.find_alpha(photo, pipeline.prior(photo, trimap=after.trimap()))
    assert np.array_equal(found.alpha, anew.alpha)  # small pictures are refined as a whole


def test_a_picture_without_a_subject_asks_modnet_as_the_command_does(
    networks: SharedNetworks, cache: StepCache
) -> None:
    plain = Photo(Image(np.full((64, 64, 3), 128, np.uint8)))
    found = steps(plain, networks, cache).found()
    expected = build(SETTINGS).find_alpha(plain)
    assert np.array_equal(found.alpha, expected.alpha)
    assert found.report["fallback"] == expected.report["fallback"]


def test_a_preview_is_made_of_a_small_copy(
    networks: SharedNetworks, cache: StepCache, photo: Photo
) -> None:
    large = Photo(Image(np.repeat(np.repeat(photo.pixels, 3, 0), 3, 1)))
    quick = steps(large, networks, cache, quick=True)
    assert max(quick.photo().pixels.shape) == QUICK_SIDE
    assert quick.factor == pytest.approx(QUICK_SIDE / 1536)
    assert quick.found().alpha.shape == quick.photo().pixels.shape[:2]


def test_nothing_is_kept_of_a_picture_of_one_request(
    photo: Photo, networks: SharedNetworks, cache: StepCache
) -> None:
    source = PictureSource("", "me.jpg", lambda: photo)
    PictureSteps(source, SETTINGS, False, networks, cache).colours()
    assert cache.kept_bytes == 0
