"""Small clips of flat people in coloured clothes, who walk across each other over clouds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, Confidence, Image
from matte.clips.following.appearance import ColourCodes, colour_codes
from matte.clips.following.crowd import Crowd
from matte.clips.following.follower import Followed, SubjectFollower
from matte.clips.motion import MotionTracker
from tests.textures import clouds

HEIGHT, WIDTH = 96, 160
RED, BLUE, GREEN, YELLOW = (200, 40, 40), (40, 60, 200), (40, 160, 60), (220, 210, 60)


@dataclass(frozen=True)
class Person:
    """Somebody with a coat and trousers, at `x` and moving on; the first in a list is behind."""

    coat: tuple[int, int, int]
    trousers: tuple[int, int, int]
    x: float
    step: float = 0.0

    def region(self, time: int) -> BoolArray:
        found = np.zeros((HEIGHT, WIDTH), np.bool_)
        left = round(self.x + self.step * time)
        found[20:84, max(0, left) : max(0, left + 20)] = True
        return found


def scene(
    people: Sequence[Person], time: int = 0, ground: int = 7
) -> tuple[Image, list[BoolArray]]:
    """A frame, and what is seen of each."""
    picture = (clouds(HEIGHT, WIDTH, ground) // 2).astype(np.float32)
    texture = clouds(HEIGHT, 2 * WIDTH, 3).astype(np.float32) / 4 - 32
    seen: list[BoolArray] = []
    for person in people:
        region = person.region(time)
        left = round(person.x + person.step * time)
        cloth = np.roll(texture, left, axis=1)[:, :WIDTH]
        for rows, colour in ((slice(0, 52), person.coat), (slice(52, HEIGHT), person.trousers)):
            part = np.zeros_like(region)
            part[rows] = region[rows]
            picture[part] = np.array(colour, np.float32) + cloth[part]
        seen = [each & ~region for each in seen] + [region]
    noise = np.random.default_rng(time).normal(0, 2, picture.shape)
    return Image(np.clip(picture + noise, 0, 255).astype(np.uint8)), seen


def codes_of(image: Image) -> ColourCodes:
    return colour_codes(np.asarray(image, np.uint8))


def crowd_of(*people: Person) -> Crowd:
    """A crowd of these people, told apart; of none, one that knows nobody yet."""
    crowd = Crowd()
    crowd.labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    image, seen = scene(people)
    for region in seen:
        crowd.add(codes_of(image), region, crowd.labels)
    return crowd


def confidence_of(seen: Sequence[BoolArray]) -> Confidence:
    return Confidence(np.any(seen, axis=0).astype(np.float32))


def follow(
    follower: SubjectFollower, scenes: Sequence[tuple[Image, list[BoolArray]]], fps: float = 25
) -> list[Followed]:
    """What a follower says of each frame, with the motion between them."""
    tracker = MotionTracker()
    return [
        follower.follow(tracker.track(image), confidence_of(seen), number / fps)
        for number, (image, seen) in enumerate(scenes)
    ]


def overlap(followed: Followed, seen: BoolArray, everybody: BoolArray) -> float:
    """The intersection over union of the chosen one's part with the truth."""
    share: NDArray[np.float32] = np.ones(seen.shape, np.float32)
    if followed.share is not None:
        share = followed.share
    found = everybody & (share >= 0.5)
    return float(np.count_nonzero(found & seen) / max(1, int(np.count_nonzero(found | seen))))
