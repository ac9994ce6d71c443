"""Steps that are done again only if what they depend on has changed."""

from dataclasses import replace

import numpy as np
import pytest

from matte.arrays import SUBJECT, Image, Trimap
from matte.configs.loader import MergedSettings, merge_settings
from matte.media.pictures import Photo, read_photo
from matte.pipeline.build import build
from matte.server.cache import StepCache
from matte.server.networks import SharedNetworks
from matte.server.quick import QUICK_SIDE
from matte.server.steps import PictureSource, PictureSteps
from matte.server.strokes import Stroke, draw_strokes
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
    settings: MergedSettings = SETTINGS,
) -> PictureSteps:
    source = PictureSource("id", "me.jpg", lambda: photo, strokes)
    return PictureSteps(source, settings, quick, networks, cache)


def test_it_is_the_line_s_result(photo: Photo, networks: SharedNetworks, cache: StepCache) -> None:
    found = steps(photo, networks, cache).found()
    expected = build(SETTINGS)(SAMPLE)
    assert np.array_equal(found.alpha, expected.alpha)
    assert found.trimap is not None
    assert expected.trimap is not None
    assert np.array_equal(found.trimap, expected.trimap)
    assert np.array_equal(steps(photo, networks, cache).colours(), expected.foreground)


def test_a_screens_light_is_taken_as_the_line_takes_it(
    photo: Photo, networks: SharedNetworks, cache: StepCache
) -> None:
    greenish = photo.pixels.copy()
    greenish[:, :, 1] = np.minimum(greenish[:, :, 1].astype(int) + 60, 255)
    lit = replace(photo, pixels=Image(greenish))
    settings = merge_settings("fast", flags={**QUICK, "screen": "green"})
    found = steps(lit, networks, cache, settings=settings).colours()
    expected = build(settings).run(lit)
    assert np.array_equal(found, expected.foreground)
    red, green, blue = found[expected.alpha == 1].T
    assert green.size
    assert (green <= np.maximum(red, blue)).all()


def test_a_screen_does_not_change_what_a_stroke_says(
    photo: Photo, networks: SharedNetworks, cache: StepCache
) -> None:
    before_screen = photo.pixels.copy()
    sure = steps(photo, networks, cache).found().alpha
    before_screen[sure < 0.5] = before_screen[290:310, 220:240] = (50, 190, 60)
    green = replace(photo, pixels=Image(before_screen))
    settings = merge_settings("fast", flags={**QUICK, "screen": "green"})
    stroke = Stroke("subject", 8, ((230.0, 300.0),))
    said = steps(green, networks, StepCache(0), (stroke,), settings=settings).found().alpha
    assert said[300, 230] == 1
    assert said[sure < 0.5].mean() < 0.1
    assert steps(green, networks, StepCache(0), settings=settings).found().alpha[300, 230] < 1


def test_a_stroke_gives_what_its_trimap_gives(
    photo: Photo, networks: SharedNetworks, cache: StepCache
) -> None:
    by_kernel = merge_settings("fast", flags={**QUICK, "k": 7, "tile": "off"})
    steps(photo, networks, cache, settings=by_kernel).found()
    after = steps(photo, networks, cache, (STROKE,), settings=by_kernel)
    found, pipeline = after.found(), build(by_kernel)
    anew = pipeline.find_alpha(photo, pipeline.prior(photo, trimap=after.trimap()))
    assert np.array_equal(found.alpha, anew.alpha)


def test_confidence_limits_alpha_wherever_there_is_no_stroke(
    photo: Photo, networks: SharedNetworks, cache: StepCache
) -> None:
    before = steps(photo, networks, cache)
    sure = Stroke("subject", 2, ((230.0, 300.0),))
    assert before.trimap()[300, 230] == SUBJECT
    after = steps(photo, networks, cache, (sure,))
    assert np.array_equal(after.found().alpha, before.found().alpha)


def test_a_stroke_for_the_refiner_lifts_the_limit_under_it(
    photo: Photo, networks: SharedNetworks, cache: StepCache
) -> None:
    before, after = steps(photo, networks, cache), steps(photo, networks, cache, (STROKE,))
    stroked = draw_strokes(Trimap(np.zeros(before.trimap().shape, np.uint8)), (STROKE,)) > 0
    pipeline = build(SETTINGS)
    anew = pipeline.find_alpha(photo, pipeline.prior(photo, trimap=after.trimap()))
    assert np.array_equal(after.found().alpha[stroked], anew.alpha[stroked])


def test_a_picture_without_a_subject_asks_modnet_as_the_command_does(
    networks: SharedNetworks, cache: StepCache
) -> None:
    ramp = np.linspace(120, 140, 64)[:, None, None].repeat(64, 1).repeat(3, 2)
    empty = Photo(Image(ramp.astype(np.uint8)))
    found = steps(empty, networks, cache).found()
    expected = build(SETTINGS).find_alpha(empty)
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
