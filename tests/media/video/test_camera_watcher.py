import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event
from threading import enumerate as threads

import numpy as np
import pytest

from matte.arrays import Image
from matte.errors import PictureError
from matte.media.video.camera import ClipCamera
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.clip import open_clip
from matte.media.video.facts import ClipFacts
from tests.media.clips import clip


class Numbers:
    """A camera whose n-th frame is of the colour n; it gives one whenever `go` is called."""

    def __init__(self, facts: ClipFacts, number: int, fails: bool = False) -> None:
        self.facts = facts
        self._number, self._fails = number, fails
        self.given = 0
        self.wanted = 0

    def frames(self, stopped: Event) -> Iterator[CameraFrame]:
        for number in range(self._number):
            while self.given >= self.wanted:
                if stopped.wait(0.001):
                    return
            pixels = Image(np.full((4, 6, 3), number, np.uint8))
            yield CameraFrame(number, Fraction(number, 25), time.monotonic(), pixels)
            self.given += 1
        if self._fails:
            raise PictureError("the camera gives no more pictures", "plug it in")

    def go(self, number: int) -> None:
        self.wanted += number
        while self.given < min(self.wanted, self._number):
            time.sleep(0.001)


@pytest.fixture
def facts(tmp_path: Path) -> ClipFacts:
    return open_clip(clip(tmp_path / "facts.mp4", (0,))).facts


def taken(newest: CameraWatcher, patience: float = 5) -> int:
    shot = newest.fetch(patience)
    assert shot is not None
    return shot.number


def test_only_the_newest_is_kept_and_the_rest_counted(facts: ClipFacts) -> None:
    numbers = Numbers(facts, 10)
    with CameraWatcher(numbers) as newest:
        numbers.go(3)
        assert taken(newest) == 2
        assert newest.dropped == 0  # nobody was looking
        assert newest.fetch(0.01) is None
        numbers.go(1)
        assert taken(newest) == 3
        numbers.go(5)
        assert taken(newest) == 8
        assert newest.dropped == 4
        assert not newest.ended
        numbers.go(1)
        assert taken(newest) == 9
        assert newest.fetch(5) is None
        assert newest.ended


def test_what_ends_a_camera_is_told_after_its_last_frame(facts: ClipFacts) -> None:
    numbers = Numbers(facts, 1, fails=True)
    with CameraWatcher(numbers) as newest:
        numbers.go(2)
        assert taken(newest) == 0
        with pytest.raises(PictureError, match="no more pictures"):
            newest.fetch(5)


def test_it_ends_at_once_in_the_middle_of_a_clip(tmp_path: Path) -> None:
    slow = ClipCamera(clip(tmp_path / "in.mp4", (0, 240_000, 480_000)))
    began = time.monotonic()
    with CameraWatcher(slow) as newest:
        assert taken(newest) == 0
    assert time.monotonic() - began < 2
    assert "camera" not in [thread.name for thread in threads()]
