import numpy as np
import pytest

from matte.clips.motion import MotionTracker
from matte.clips.subject_flow import pixels_at, subject_flow
from tests.clips.moving_disc import HEIGHT, WIDTH, moving_clip


def test_flow_around_the_edge_is_the_subjects() -> None:
    frames, alphas = moving_clip(4, 2)
    tracker = MotionTracker()
    tracker.track(frames[0])
    motion = tracker.track(frames[1])
    flow = subject_flow(motion, alphas[1], np.ones_like(alphas[1]))
    assert flow.shape == (HEIGHT, WIDTH, 4)
    edge = (alphas[1] > 0) & (alphas[1] < 1)
    assert np.median(flow[edge, 0]) == pytest.approx(-4, abs=0.3)
    far = np.zeros((HEIGHT, WIDTH), bool)
    far[:, -30:] = True
    assert flow[far, :2] == pytest.approx(motion.flow[far], abs=1e-3)
    assert np.abs(flow[far, 3]).max() < 1e-3
    assert flow[edge, 3].mean() > 0.5 > flow[edge, 2].mean()


def test_pixels_are_found_by_flat_indices() -> None:
    colours = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    assert pixels_at(colours, np.array([0, 4])).tolist() == [[0, 1, 2], [12, 13, 14]]
