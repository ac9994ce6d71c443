"""What the device's steps remember: the whole of them is compared in test_device_matting.py."""

import numpy as np
import pytest
import torch

from matte.arrays import Image, Trimap
from matte.clips.device_steps import (
    DeviceAlphaHistory,
    DeviceMotion,
    make_device_stabiliser,
)
from matte.clips.motion import MotionTracker
from matte.clips.stabilising import TemporalMode
from matte.gpu.pictures import DevicePicture, upload_picture, upload_trimap
from matte.gpu.transfer import CPU
from tests.clips.moving_disc import HEIGHT, WIDTH, dark_scene, moving_clip

FRAMES, _ = moving_clip(count=3)
UNKNOWN = upload_trimap(Trimap(np.full((HEIGHT, WIDTH), 128, np.uint8)), CPU)
GREY = torch.full((1, 1, HEIGHT, WIDTH), 0.5)


def motions(*frames: Image) -> list[tuple[DevicePicture, DeviceMotion]]:
    tracker = MotionTracker()
    pictures = [upload_picture(frame, CPU) for frame in frames]
    return [(p, DeviceMotion(tracker.track(p.array), p)) for p in pictures]


def test_no_alpha_is_reused_in_a_first_frame_or_after_a_cut() -> None:
    history = DeviceAlphaHistory(8)
    found = []
    for picture, motion in motions(FRAMES[0], FRAMES[1], dark_scene(FRAMES[2])):
        history.start_frame(motion)
        found.append(history.warped_alpha(picture, UNKNOWN))
        history.update(GREY)
    assert [each is None for each in found] == [True, False, True]


def test_an_alpha_of_another_size_or_that_was_not_refined_is_not_reused() -> None:
    history = DeviceAlphaHistory(8)
    (first, motion), (second, other) = motions(*FRAMES[:2])
    history.start_frame(motion)
    history.update(GREY)  # of no frame: nothing is remembered
    history.start_frame(other)
    assert history.warped_alpha(second, UNKNOWN) is None
    history.update(GREY[..., 1:])
    history.start_frame(other)
    assert history.warped_alpha(first, UNKNOWN) is None


@pytest.mark.parametrize(("mode", "late"), [("off", 0), ("flow", 0), ("ofd", 1)])
def test_alphas_come_in_order(mode: TemporalMode, late: int) -> None:
    stabiliser = make_device_stabiliser(mode)
    found = [stabiliser.stabilise(GREY, motion) for _, motion in motions(*FRAMES)]
    assert [alpha is None for alpha in found] == [True] * late + [False] * (3 - late)
    assert (stabiliser.pending_alpha() is None) == (late == 0)
