from collections.abc import Sequence

import numpy as np
import pytest

from matte.arrays import Alpha, Confidence, Image
from matte.clips.following.choices import TimedChoice
from matte.clips.following.follower import SubjectFollower
from matte.clips.matting import FrameMatter
from matte.configs.settings import Config, VideoSettings
from matte.errors import SettingError, WeightsError
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from matte.segmentation.subjects import parse_subject
from matte.stages import Segmentation
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
    while (last := matter.pending_alpha()) is not None:
        found.append(last)
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


class Speckled(AsSegmented):
    """A line whose alpha has a fleck for three frames."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        alpha = super().run(image, prior).alpha.copy()
        self.seen += 1
        alpha[4:8, 4:8] = 2 <= self.seen <= 4
        return LineResult(Alpha(alpha), report={"ms": {}})


@pytest.mark.parametrize(
    ("segment_every", "despeckle", "live", "flecks"),
    [
        (1, 2, False, [2, 3, 4]),
        (1, 3, False, []),
        (2, 2, False, []),  # what is found in one frame lasts for two
        (1, 2, True, [4]),
        (1, None, False, [2, 3, 4]),
    ],
)
def test_flecks_are_taken_out(
    segment_every: int, despeckle: int | None, live: bool, flecks: list[int]
) -> None:
    frames, _ = still_clip(8)
    video = VideoSettings(temporal="off", segment_every=segment_every, despeckle=despeckle)
    size = frames[0].shape[0], frames[0].shape[1]
    matter = FrameMatter(Speckled(), Config(video=video), size, live=live)
    found = run(matter, frames)
    assert len(found) == 8
    assert [number for number, alpha in enumerate(found, 1) if alpha[5, 5] > 0.5] == flecks


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


def two_boxes() -> Image:
    picture = np.zeros((96, 160, 3), np.uint8)
    picture[20:80, 20:50] = (255, 200, 120)
    picture[20:80, 100:140] = (140, 200, 255)
    return Image(picture)


@pytest.mark.parametrize("reason", ["", "most of it is unknown"])
def test_the_chosen_one_is_kept_alone_whatever_line_finds_alpha(reason: str) -> None:
    frame = two_boxes()
    choices = [TimedChoice(parse_subject("largest")), TimedChoice(parse_subject("at:30,50"), 2.0)]

    class Everybody(AsSegmented):
        def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
            assert prior.is_chosen
            found = super().run(image, prior if not self.reason else NO_PRIOR)
            alpha = np.ones_like(found.alpha) if self.reason else found.alpha
            return LineResult(Alpha(alpha), report=found.report)

    follower = SubjectFollower(choices)
    matter = FrameMatter(Everybody(reason=reason), Config(), (96, 160), follower=follower)
    for seconds, kept in ((0.0, slice(100, 140)), (1.9, slice(100, 140)), (2.0, slice(20, 50))):
        segmented = matter.segment(frame, seconds)
        alpha = matter.refine(segmented)
        assert alpha[22:78, kept].min() > 0.99
        alpha[:, kept.start - 9 : kept.stop + 9] = 0
        assert alpha.max() < 0.01
        assert segmented.followed is not None
        assert segmented.followed.sureness == 1


def test_a_line_without_a_mask_follows_nobody() -> None:
    line, follower = AsSegmented(segments=False), SubjectFollower([])
    with pytest.raises(SettingError, match="makes no mask, so --subject means nothing"):
        FrameMatter(line, Config(), (96, 160), follower=follower)


def test_a_segmenter_that_fails_keeps_nobody_in_its_place() -> None:
    class Failing(BrightIsSubject):
        def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
            raise WeightsError("damaged")

    line = AsSegmented()
    line.segmenter = Failing()
    assert FrameMatter(line, Config(), (96, 160)).segment(two_boxes()).confidence is None
    follower = SubjectFollower([TimedChoice(parse_subject("largest"))])
    with pytest.raises(WeightsError):
        FrameMatter(line, Config(), (96, 160), follower=follower).segment(two_boxes())
