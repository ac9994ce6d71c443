import pytest

from matte.clips.following.choices import TimedChoice
from matte.clips.following.follower import Followed
from matte.clips.following.record import FollowingRecord
from matte.segmentation.subjects import parse_subject

HIDDEN = Followed(None, 0.0, seen=False)


def record_of(frames: list[Followed], fps: float = 10) -> FollowingRecord:
    record = FollowingRecord([TimedChoice(parse_subject("largest"))])
    for number, followed in enumerate(frames):
        record.add(number / fps, followed)
    return record


def test_each_frame_has_its_sureness_and_moments_are_joined() -> None:
    unsure = Followed(None, 0.25)
    record = record_of([Followed(None), unsure, Followed(None, 0.4), Followed(None), unsure])
    assert record.as_json()["sureness"] == [1, 0.25, 0.4, 1, 0.25]
    assert record.as_json()["choices"] == ["1"]
    (moment,) = record.moments
    assert (moment.start, moment.end, moment.sureness) == (0.1, 0.4, 0.25)
    assert record.warnings == []


@pytest.mark.parametrize(("frames", "warns"), [(9, False), (11, True)])
def test_who_is_lost_for_long_is_warned_of_with_the_time(frames: int, warns: bool) -> None:
    record = record_of([Followed(None), *[HIDDEN] * frames, Followed(None)])
    expected = ["0:00.100 to 0:01.100: out of sight: the result is empty there"]
    assert record.warnings == (expected if warns else [])


def test_a_choice_that_finds_nobody_is_warned_of() -> None:
    record = record_of([Followed(None, 0, seen=False, waiting=True), Followed(None)])
    assert record.warnings[0].startswith("0:00.000 to 0:00.000: nobody is where the choice says")
