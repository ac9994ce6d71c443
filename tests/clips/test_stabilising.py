from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from matte.arrays import Alpha, Confidence, Image
from matte.clips.motion import Watcher
from matte.clips.stabilising import STEADY, Mode, SteadyConfidence, steady
from matte.errors import SettingError
from matte.metrics.clips import dt_ssd, variance
from matte.metrics.mattes import mad
from tests.textures import Pixels, clouds

HEIGHT, WIDTH = 108, 192
MODES: tuple[Mode, ...] = ("off", "ofd", "flow")
Clip = tuple[list[Image], list[Alpha]]


def run(mode: Mode, frames: Sequence[Image], alphas: Sequence[Alpha]) -> list[Alpha]:
    watcher, way = Watcher(), steady(mode)
    found = []
    for number, (frame, alpha) in enumerate(zip(frames, alphas, strict=True)):
        came = way.next(frame, alpha, watcher.next(frame))
        assert (came is None) == (number < way.delay)
        found.append(came)
    found.append(way.last())
    return [alpha for alpha in found if alpha is not None]


def disc(x: float, y: float, radius: float) -> Alpha:
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    return Alpha(np.clip(radius - np.hypot(xs - x, ys - y), 0, 1).astype(np.float32))


def composed(subject: Pixels, alpha: Alpha, seed: int) -> Image:
    """The subject over clouds, with a little noise."""
    behind = clouds(HEIGHT, WIDTH, 7) // 2
    mixed = behind + alpha[:, :, None] * (subject.astype(np.float32) - behind)
    noise = np.random.default_rng(seed).normal(0, 2, mixed.shape)
    return Image(np.clip(np.rint(mixed + noise), 0, 255).astype(np.uint8))


def a_still(count: int = 24) -> Clip:
    subject, alpha = clouds(HEIGHT, WIDTH, 5) // 2 + 127, disc(96, 54, 30)
    return [composed(subject, alpha, n) for n in range(count)], [alpha] * count


def a_mover(step: float = 3, count: int = 20) -> Clip:
    """A disc that rolls over the clouds."""
    texture, frames, alphas = clouds(HEIGHT, WIDTH, 5) // 2 + 127, [], []
    for n in range(count):
        shift = np.array([[1, 0, step * n - 20], [0, 1, 0]], np.float32)
        moved = cv2.warpAffine(texture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_WRAP)
        alphas.append(disc(50 + step * n, 54, 30))
        frames.append(composed(np.asarray(moved, np.uint8), alphas[-1], n))
    return frames, alphas


def softened(alpha: Alpha) -> Alpha:
    return Alpha(np.asarray(cv2.GaussianBlur(alpha, (7, 7), 0), np.float32))


def flickering(alphas: Sequence[Alpha]) -> list[Alpha]:
    """What a matting network makes of noise, roughly: edges that swell and shrink."""
    random = np.random.default_rng(3)
    found = []
    for alpha in alphas:
        coarse = random.normal(0, 0.35, (HEIGHT // 8, WIDTH // 8)).astype(np.float32)
        noise = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        soft = softened(alpha)
        edge = 4 * soft * (1 - soft)
        found.append(Alpha(np.clip(soft + edge * noise, 0, 1)))
    return found


def error(alphas: Sequence[Alpha], truths: Sequence[Alpha]) -> float:
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    return float(np.mean([mad(a, t, everywhere) for a, t in zip(alphas, truths, strict=True)]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_as_many_come_out_as_went_in(mode: Mode, count: int) -> None:
    frames, alphas = a_still(count)
    before = [alpha.copy() for alpha in alphas]
    found = run(mode, frames, alphas)
    assert len(found) == count
    assert all(np.array_equal(a, b) for a, b in zip(alphas, before, strict=True)), "not edited"
    for alpha in found:
        assert alpha.dtype == np.float32
        assert alpha.min() >= 0
        assert alpha.max() <= 1


def test_off_changes_nothing() -> None:
    frames, alphas = a_still(4)
    noisy = flickering(alphas)
    assert all(a is b for a, b in zip(run("off", frames, noisy), noisy, strict=True))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (37, 53), (700, 9)])
def test_frames_of_any_size(mode: Mode, shape: tuple[int, int]) -> None:
    frames = [Image(np.full((*shape, 3), 60, np.uint8))] * 4
    alphas = [Alpha(np.full(shape, value, np.float32)) for value in (0, 0.5, 1, 0)]
    assert [alpha.shape for alpha in run(mode, frames, alphas)] == [shape] * 4


def test_a_still_clip_hardly_varies() -> None:
    frames, alphas = a_still()
    noisy = flickering(alphas)
    off, flow = (run(mode, frames, noisy) for mode in ("off", "flow"))
    assert variance(flow).mean() <= 0.35 * variance(off).mean()
    assert dt_ssd(flow, alphas) <= 0.3 * dt_ssd(off, alphas)


def test_a_moving_subject_flickers_less() -> None:
    frames, alphas = a_mover()
    soft = [softened(alpha) for alpha in alphas]
    noisy = flickering(alphas)
    flow = run("flow", frames, noisy)
    # 0.64: where alpha can't go below 0 or above 1 the noise has a mean, which stays.
    assert dt_ssd(flow, soft) <= 0.7 * dt_ssd(noisy, soft)
    assert error(flow, soft) <= 0.8 * error(noisy, soft)


@pytest.mark.parametrize("step", [2, 6, 25])
@pytest.mark.parametrize("mode", ["ofd", "flow"])
def test_nothing_trails(mode: Mode, step: int) -> None:
    """True alphas stay as they are, however fast the subject is."""
    frames, alphas = a_mover(step, 6)
    assert error(run(mode, frames, alphas), alphas) < 0.002


def test_what_blinks_for_one_frame_is_gone() -> None:
    frames, alphas = a_still(7)
    blinking = list(alphas)
    blinking[3] = Alpha(alphas[3].copy())
    blinking[3][:20, :20] = 1
    blinking[3][50:58, 90:98] = 0
    found = run("ofd", frames, blinking)
    assert error(found, alphas) < 0.1 * error(blinking, alphas)


def test_what_really_flies_past_for_one_frame_is_not() -> None:
    frames, alphas = a_still(7)
    frames[3] = composed(clouds(HEIGHT, WIDTH, 5) // 2 + 127, disc(20, 20, 15), 3)
    alphas[3] = disc(20, 20, 15)
    found = run("ofd", frames, alphas)
    assert found[3][20, 20] == 1


@pytest.mark.parametrize("mode", ["ofd", "flow"])
def test_nothing_goes_over_a_cut(mode: Mode) -> None:
    frames, alphas = a_still(3)
    other = [Image(255 - frame[::-1] // np.uint8(4)) for frame in frames]
    nobody = [Alpha(np.full((HEIGHT, WIDTH), 0.25, np.float32))] * 3
    found = run(mode, [*frames, *other], [*alphas, *nobody])
    assert np.array_equal(found[3], nobody[0])
    assert error(found[:3], alphas) < 1e-3


def test_a_scene_begins_with_the_first_frame_a_cut_and_another_size() -> None:
    frames, _ = a_still(2)
    dark = Image(255 - frames[0][::-1] // np.uint8(4))
    watcher = Watcher()
    told = [watcher.next(frame).begins for frame in (*frames, dark, dark, Image(dark[::2]))]
    assert told == [True, False, True, False, True]


@pytest.mark.parametrize("mode", MODES)
def test_a_size_may_change_between_frames(mode: Mode) -> None:
    """Though the small copies have one."""
    shapes = [(180, 320), (360, 640), (360, 640), (180, 320)]
    frames = [Image(np.full((*shape, 3), 60, np.uint8)) for shape in shapes]
    alphas = [Alpha(np.full(shape, 0.5, np.float32)) for shape in shapes]
    assert [alpha.shape for alpha in run(mode, frames, alphas)] == shapes


def test_confidence_does_not_flip_and_goes_along() -> None:
    frames, alphas = a_mover(3, 16)
    random = np.random.default_rng(0)
    watcher, hysteresis = Watcher(), SteadyConfidence()
    flips, flips_before = [], []
    for frame, alpha in zip(frames, alphas, strict=True):
        coarse = random.normal(0, 0.15, (HEIGHT // 8, WIDTH // 8)).astype(np.float32)
        noise = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        unsure = Confidence(np.clip(0.35 + 0.3 * alpha + noise, 0, 1).astype(np.float32))
        calm = hysteresis.next(unsure, watcher.next(frame))
        flips_before.append(((unsure > 0.5) != (alpha > 0.5)).mean())
        flips.append(((calm > 0.5) != (alpha > 0.5)).mean())
    assert np.mean(flips_before[4:]) > 0.1
    assert np.mean(flips[4:]) < 0.35 * np.mean(flips_before[4:])


def test_movement_tells_how_much_moves_and_takes_a_mask_along() -> None:
    frames, alphas = a_mover(4, 2)
    watcher = Watcher()
    watcher.next(frames[0])
    movement = watcher.next(frames[1])
    assert movement.speed(alphas[1]) == pytest.approx(4 / WIDTH, rel=0.25)
    assert movement.speed() < 0.6 * movement.speed(alphas[1])
    brought = movement.warp(alphas[0])
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    still = mad(alphas[0], alphas[1], everywhere)
    assert mad(Alpha(brought), alphas[1], everywhere) < 0.5 * still


def test_a_mistyped_mode_is_refused() -> None:
    mistyped: Mode = "flwo"  # type: ignore[assignment]  # what a caller may write
    with pytest.raises(SettingError, match="flow"):
        steady(mistyped)
    assert set(STEADY) == set(MODES)
