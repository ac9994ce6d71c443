import numpy as np

from matte.arrays import Confidence, Image
from matte.clips.following.choices import TimedChoice
from matte.clips.following.follower import SubjectFollower
from matte.clips.motion import MotionTracker
from matte.segmentation.subjects import parse_subject
from tests.clips.following.people import (
    BLUE,
    GREEN,
    HEIGHT,
    RED,
    WIDTH,
    YELLOW,
    Person,
    confidence_of,
    follow,
    overlap,
    scene,
)


def choice(text: str, seconds: float = 0.0) -> TimedChoice:
    return TimedChoice(parse_subject(text), seconds)


def test_somebody_is_followed_behind_another_and_out_again() -> None:
    people = [Person(RED, BLUE, 20, 3), Person(GREEN, YELLOW, 110, -3)]
    scenes = [scene(people, time) for time in range(32)]
    found = follow(SubjectFollower([choice("at:30,50")]), scenes)
    scores = [
        overlap(each, seen[0], np.any(seen, axis=0))
        for each, (_, seen) in zip(found, scenes, strict=True)
    ]
    visible = [np.count_nonzero(seen[0]) > 300 for _, seen in scenes]
    assert not all(visible)  # he is hidden for a while
    assert np.mean([s for s, seen in zip(scores, visible, strict=True) if seen]) > 0.9
    assert scores[-1] > 0.9
    hidden = [each for each, seen in zip(found, scenes, strict=True) if not seen[1][0].any()]
    assert hidden
    assert not any(each.seen for each in hidden)


def test_who_walks_in_front_keeps_his_border() -> None:
    people = [Person(GREEN, YELLOW, 110, -3), Person(RED, BLUE, 20, 3)]
    scenes = [scene(people, time) for time in range(32)]
    found = follow(SubjectFollower([choice("at:30,50")]), scenes)
    scores = [
        overlap(each, seen[1], np.any(seen, axis=0))
        for each, (_, seen) in zip(found, scenes, strict=True)
    ]
    assert min(scores) > 0.8
    assert all(each.seen for each in found)


def test_after_a_cut_he_is_found_by_his_looks() -> None:
    before = [scene([Person(RED, BLUE, 20), Person(GREEN, YELLOW, 110)]) for _ in range(4)]
    people = [Person(GREEN, YELLOW, 30), Person(RED, BLUE, 80)]
    image, seen = scene(people, 0, ground=21)
    after = [(Image(255 - image), seen)] * 2  # another scene, whose colours nobody knows
    scenes = [*before, *after, (image, seen), (image, seen)]
    found = follow(SubjectFollower([choice("at:30,50")]), scenes)
    assert not found[5].seen
    assert found[-1].seen
    assert overlap(found[-1], seen[1], np.any(seen, axis=0)) > 0.9


def test_who_touches_another_after_a_cut_is_told_by_colour() -> None:
    follower = SubjectFollower([choice("at:30,50")])
    before = [scene([Person(RED, BLUE, 20), Person(GREEN, YELLOW, 110)]) for _ in range(3)]
    follow(follower, before)
    image, seen = scene([Person(GREEN, YELLOW, 60), Person(RED, BLUE, 78)])
    motion = MotionTracker().track(image)  # which starts a scene
    found = follower.follow(motion, confidence_of(seen), 1.0)
    assert overlap(found, seen[1], np.any(seen, axis=0)) > 0.8


def test_later_choices_count_from_their_time() -> None:
    people = [Person(RED, BLUE, 20), Person(GREEN, YELLOW, 110)]
    scenes = [scene(people, time) for time in range(6)]
    choices = [choice("at:30,50"), choice("at:75%,50%", 0.1), TimedChoice(None, 0.2)]
    found = follow(SubjectFollower(choices), scenes)
    everybody = np.any(scenes[0][1], axis=0)
    assert overlap(found[2], scenes[2][1][0], everybody) > 0.95
    assert overlap(found[3], scenes[3][1][1], everybody) > 0.95
    assert found[5].share is None


def test_who_comes_in_later_is_left_out_and_the_one_alone_is_whole() -> None:
    people = [Person(RED, BLUE, 60), Person(GREEN, YELLOW, -24, 4)]
    scenes = [scene(people, time) for time in range(12)]
    found = follow(SubjectFollower([choice("largest")]), scenes)
    for each, (_, seen) in zip(found, scenes, strict=True):
        assert overlap(each, seen[0], np.any(seen, axis=0)) > 0.95
    assert found[0].share is None  # he is alone: nothing of him is lost
    assert found[-1].share is not None
    assert (found[-1].share[scenes[-1][1][0]] == 1).all()


def test_a_choice_waits_for_somebody() -> None:
    nobody = (scene([])[0], [np.zeros((HEIGHT, WIDTH), np.bool_)])
    somebody = scene([Person(RED, BLUE, 60)])
    found = follow(SubjectFollower([choice("largest")]), [nobody, nobody, somebody, somebody])
    assert [each.waiting for each in found] == [True, True, False, False]
    assert [each.seen for each in found[1:]] == [False, True, True]


def test_a_mask_splits_who_touch_from_the_beginning() -> None:
    people = [Person(RED, BLUE, 40), Person(GREEN, YELLOW, 58)]
    scenes = [scene(people, time) for time in range(3)]
    mask = scenes[0][1][0]
    found = follow(SubjectFollower([TimedChoice(parse_subject("mask:m.png"), 0.0, mask)]), scenes)
    assert overlap(found[-1], mask, np.any(scenes[-1][1], axis=0)) > 0.9


def test_frames_of_another_size_begin_anew() -> None:
    follower = SubjectFollower([choice("largest")])
    image, seen = scene([Person(RED, BLUE, 60)])
    follow(follower, [(image, seen)])
    half = Image(np.ascontiguousarray(image[::2, ::2]))
    small = Confidence(np.ascontiguousarray(confidence_of(seen)[::2, ::2]))
    found = follower.follow(MotionTracker().track(half), small, 1.0)
    assert found.share is not None
    assert found.share.shape == small.shape
