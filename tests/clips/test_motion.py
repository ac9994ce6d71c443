import threading

import numpy as np

from matte.arrays import Alpha, Image
from matte.clips.motion import HISTORY_WEIGHT_STILL, FrameColours, MotionTracker
from matte.imaging.flow import local_mean_colours
from matte.metrics.mattes import mad
from tests.clips.moving_disc import HEIGHT, WIDTH, dark_scene, moving_clip, still_clip


def test_a_scene_starts_with_the_first_frame_a_cut_and_another_size() -> None:
    frames, _ = still_clip(2)
    dark = dark_scene(frames[0])
    tracker = MotionTracker()
    starts = [
        tracker.track(frame).starts_scene for frame in (*frames, dark, dark, Image(dark[::2]))
    ]
    assert starts == [True, False, True, False, True]


def test_a_mask_is_warped_to_where_its_subject_is() -> None:
    frames, alphas = moving_clip(4, 2)
    tracker = MotionTracker()
    tracker.track(frames[0])
    warped = Alpha(tracker.track(frames[1]).warp(alphas[0]))
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    unmoved = mad(alphas[0], alphas[1], everywhere)
    assert mad(warped, alphas[1], everywhere) < 0.5 * unmoved


def test_the_past_counts_more_with_each_frame_that_agrees() -> None:
    frames, _ = still_clip(12)
    tracker = MotionTracker()
    weights = [float(tracker.track(frame).history_weight.mean()) for frame in frames]
    assert weights[0] == 0
    assert weights[1] < weights[2] < weights[3] < weights[-1] <= HISTORY_WEIGHT_STILL


def test_mean_colours_are_calculated_once_whoever_asks() -> None:
    frames, _ = still_clip(1)
    colours, found = FrameColours(frames[0]), []
    threads = [
        threading.Thread(target=lambda: found.append(colours.local_means())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each is found[0] for each in found)
    assert (found[0] == local_mean_colours(frames[0])).all()
