from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.clips.despeckling import Despeckler
from matte.clips.motion import MotionTracker
from matte.clips.stabilising import STABILISERS, TemporalMode, make_stabiliser
from matte.errors import SettingError
from matte.metrics.clips import dt_ssd, temporal_variance
from matte.metrics.mattes import mad
from tests.clips.moving_disc import (
    HEIGHT,
    WIDTH,
    compose,
    dark_scene,
    disc,
    moving_clip,
    still_clip,
)
from tests.textures import clouds

MODES: tuple[TemporalMode, ...] = ("off", "ofd", "flow")


DELAYS = {"off": 0, "ofd": 1, "flow": 0}  # frames


def run(mode: TemporalMode, frames: Sequence[Image], alphas: Sequence[Alpha]) -> list[Alpha]:
    tracker, stabiliser = MotionTracker(), make_stabiliser(mode)
    found = []
    for number, (frame, alpha) in enumerate(zip(frames, alphas, strict=True)):
        came = stabiliser.stabilise(alpha, tracker.track(frame))
        assert (came is None) == (number < DELAYS[mode])
        found.append(came)
    found.append(stabiliser.pending_alpha())
    return [alpha for alpha in found if alpha is not None]


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
def test_as_many_come_out_as_went_in(mode: TemporalMode, count: int) -> None:
    frames, alphas = still_clip(count)
    before = [alpha.copy() for alpha in alphas]
    found = run(mode, frames, alphas)
    assert len(found) == count
    assert all(np.array_equal(a, b) for a, b in zip(alphas, before, strict=True)), "not edited"
    for alpha in found:
        assert alpha.dtype == np.float32
        assert alpha.min() >= 0
        assert alpha.max() <= 1


def test_off_changes_nothing() -> None:
    frames, alphas = still_clip(4)
    noisy = flickering(alphas)
    assert all(a is b for a, b in zip(run("off", frames, noisy), noisy, strict=True))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (37, 53), (700, 9)])
def test_frames_of_any_size(mode: TemporalMode, shape: tuple[int, int]) -> None:
    frames = [Image(np.full((*shape, 3), 60, np.uint8))] * 4
    alphas = [Alpha(np.full(shape, value, np.float32)) for value in (0, 0.5, 1, 0)]
    assert [alpha.shape for alpha in run(mode, frames, alphas)] == [shape] * 4


def test_a_still_clip_hardly_varies() -> None:
    frames, alphas = still_clip()
    noisy = flickering(alphas)
    off, flow = (run(mode, frames, noisy) for mode in ("off", "flow"))
    assert temporal_variance(flow).mean() <= 0.35 * temporal_variance(off).mean()
    assert dt_ssd(flow, alphas) <= 0.3 * dt_ssd(off, alphas)


def test_a_moving_subject_flickers_less() -> None:
    frames, alphas = moving_clip()
    soft = [softened(alpha) for alpha in alphas]
    noisy = flickering(alphas)
    flow = run("flow", frames, noisy)
    # 0.64: where alpha can't go below 0 or above 1 the noise has a mean, which stays.
    assert dt_ssd(flow, soft) <= 0.7 * dt_ssd(noisy, soft)
    assert error(flow, soft) <= 0.8 * error(noisy, soft)


@pytest.mark.parametrize("step", [2, 6, 25])
@pytest.mark.parametrize("mode", ["ofd", "flow"])
def test_nothing_trails(mode: TemporalMode, step: int) -> None:
    """True alphas stay as they are, however fast the subject is."""
    frames, alphas = moving_clip(step, 6)
    assert error(run(mode, frames, alphas), alphas) < 0.002


def test_what_blinks_for_one_frame_is_gone() -> None:
    frames, alphas = still_clip(7)
    blinking = list(alphas)
    blinking[3] = Alpha(alphas[3].copy())
    blinking[3][:20, :20] = 1
    blinking[3][50:58, 90:98] = 0
    found = run("ofd", frames, blinking)
    assert error(found, alphas) < 0.1 * error(blinking, alphas)


def test_what_really_flies_past_for_one_frame_is_not() -> None:
    frames, alphas = still_clip(7)
    frames[3] = compose(clouds(HEIGHT, WIDTH, 5) // 2 + 127, disc(20, 20, 15), 3)
    alphas[3] = disc(20, 20, 15)
    found = run("ofd", frames, alphas)
    assert found[3][20, 20] == 1


@pytest.mark.parametrize("mode", ["ofd", "flow"])
def test_nothing_goes_over_a_cut(mode: TemporalMode) -> None:
    frames, alphas = still_clip(3)
    other = [dark_scene(frame) for frame in frames]
    nobody = [Alpha(np.full((HEIGHT, WIDTH), 0.25, np.float32))] * 3
    found = run(mode, [*frames, *other], [*alphas, *nobody])
    assert np.array_equal(found[3], nobody[0])
    assert error(found[:3], alphas) < 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_a_size_may_change_between_frames(mode: TemporalMode) -> None:
    """Though the small copies have one."""
    shapes = [(180, 320), (360, 640), (360, 640), (180, 320)]
    frames = [Image(np.full((*shape, 3), 60, np.uint8)) for shape in shapes]
    alphas = [Alpha(np.full(shape, 0.5, np.float32)) for shape in shapes]
    assert [alpha.shape for alpha in run(mode, frames, alphas)] == shapes


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_flecks_go_before_alphas_are_averaged(mode: TemporalMode, count: int) -> None:
    frames, alphas = still_clip(count)
    speckled = [alpha.copy() for alpha in alphas]
    speckled[count // 2][5:9, 5:9] = 1
    tracker, stabiliser = MotionTracker(), make_stabiliser(mode, Despeckler(2, 2))
    found = [
        stabiliser.stabilise(Alpha(alpha), tracker.track(frame))
        for frame, alpha in zip(frames, speckled, strict=True)
    ]
    assert [alpha is None for alpha in found] == [n < 2 + DELAYS[mode] for n in range(count)]
    while (last := stabiliser.pending_alpha()) is not None:
        found.append(last)
    out = [alpha for alpha in found if alpha is not None]
    assert len(out) == count
    assert all(np.array_equal(*each) for each in zip(out, run(mode, frames, alphas), strict=True))


def test_a_mistyped_mode_is_refused() -> None:
    mistyped: TemporalMode = "flwo"  # type: ignore[assignment]  # what a caller may write
    with pytest.raises(SettingError, match="flow"):
        make_stabiliser(mistyped)
    assert set(STABILISERS) == set(MODES)
