from collections.abc import Sequence

import numpy as np
import pytest

from matte.arrays import Alpha, Confidence, Image
from matte.clips.matting import FrameMatter
from matte.configs.settings import Config, VideoSettings
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from tests.clips.moving_disc import still_clip
from tests.fakes import BrightIsSubject, Unrefined


class AsSegmented(Unrefined):
    """A line whose alpha is the confidence it is given."""

    def __init__(self, segments: bool = True, reason: str = "") -> None:
        self.segmenter = BrightIsSubject() if segments else None
        self.reason = reason

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        confidence = Confidence(np.zeros(image.shape[:2], np.float32))
        if prior.segmentation is not None:
            confidence = prior.segmentation.confidence
        report: dict[str, object] = {"ms": {"refine": 2.0}}
        if self.reason:
            report["fallback"] = {"reason": self.reason}
        return LineResult(Alpha(confidence), report=report)


def run(matter: FrameMatter, frames: Sequence[Image]) -> list[Alpha]:
    found: list[Alpha | None] = []
    for frame in frames:
        segmented = matter.segment(frame)
        found.append(matter.stabilise(segmented, matter.refine(segmented)))
    found.append(matter.pending_alpha())
    return [alpha for alpha in found if alpha is not None]


def matter_of(line: AsSegmented, frame: Image, config: Config | None = None) -> FrameMatter:
    return FrameMatter(line, config or Config(), (frame.shape[0], frame.shape[1]))


@pytest.mark.parametrize("temporal", ["off", "flow", "ofd"])
@pytest.mark.parametrize("segment_every", [1, 3])
def test_every_frame_gets_an_alpha(temporal: str, segment_every: int) -> None:
    frames, _ = still_clip(6)
    video = VideoSettings(temporal=temporal, segment_every=segment_every)  # type: ignore[arg-type]  # one of its words
    matter = matter_of(AsSegmented(), frames[0], Config(video=video))
    found = run(matter, frames)
    assert len(found) == 6
    truth = BrightIsSubject().segment(frames[0]).confidence
    assert max(float(np.abs(alpha - truth).mean()) for alpha in found) < 0.05
    assert set(matter.watch.ms) == {"follow", "segment", "refine", "steady"}
    assert matter.watch.ms["refine"] == 12


def test_a_line_without_a_segmenter_sees_pictures_alone() -> None:
    frames, _ = still_clip(2)
    matter = matter_of(AsSegmented(segments=False), frames[0])
    segmented = matter.segment(frames[0])
    assert segmented.confidence is None
    assert matter.refine(segmented) is not None
    assert "segment" not in matter.watch.ms


def test_doubts_are_counted() -> None:
    frames, _ = still_clip(3)
    matter = matter_of(AsSegmented(reason="most of it is unknown"), frames[0])
    run(matter, frames)
    assert matter.doubts == {"most of it is unknown": 3}
