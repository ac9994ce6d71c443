import cv2
import numpy as np

from matte.arrays import Confidence
from matte.clips.confidence_average import ConfidenceAverage
from matte.clips.motion import MotionTracker
from tests.clips.moving_disc import HEIGHT, WIDTH, dark_scene, moving_clip, still_clip


def test_confidence_does_not_flip_and_follows_motion() -> None:
    frames, alphas = moving_clip(3, 16)
    random = np.random.default_rng(0)
    tracker, average = MotionTracker(), ConfidenceAverage()
    flips, flips_before = [], []
    for frame, alpha in zip(frames, alphas, strict=True):
        coarse = random.normal(0, 0.15, (HEIGHT // 8, WIDTH // 8)).astype(np.float32)
        noise = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        unsure = Confidence(np.clip(0.35 + 0.3 * alpha + noise, 0, 1).astype(np.float32))
        calm = average.blend(unsure, tracker.track(frame))
        flips_before.append(((unsure > 0.5) != (alpha > 0.5)).mean())
        flips.append(((calm > 0.5) != (alpha > 0.5)).mean())
    assert np.mean(flips_before[4:]) > 0.1
    assert np.mean(flips[4:]) < 0.35 * np.mean(flips_before[4:])


def test_without_blending_each_frame_counts_alone() -> None:
    frames, alphas = still_clip(2)
    tracker, average = MotionTracker(), ConfidenceAverage(blends=False)
    assert average.warp(tracker.track(frames[0])) is None
    average.blend(Confidence(alphas[0]), tracker.track(frames[0]))
    none = Confidence(np.zeros_like(alphas[0]))
    assert average.blend(none, tracker.track(frames[1])) is none
    assert average.warp(tracker.track(dark_scene(frames[1]))) is None, "another scene"
