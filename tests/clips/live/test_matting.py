import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Alpha, Image
from matte.clips.backgrounds import open_composer
from matte.clips.live.matting import Choice, Live, LiveFrame
from matte.clips.live.recording import Recorder, free
from matte.clips.live.window import KEYS, Show, Until
from matte.clips.statistics import Tally
from matte.compositing.backgrounds import parse_background
from matte.compositing.composer import BEGINNING, Composer, composite
from matte.compositing.foreground import estimate_foreground
from matte.configs.loader import MergedSettings, merge_settings
from matte.configs.settings import CompositingSettings
from matte.errors import MatteWarning, PictureError, SettingError, WeightsError
from matte.media.pictures import read_photo
from matte.media.video.camera import ClipCamera
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.clip import BrokenFrame, open_clip
from matte.media.video.facts import ClipFacts
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from matte.pipeline.run import Pipeline
from tests.fakes import Unrefined
from tests.media.clips import BASE, CFR, clip, mean_error, names, still

OFF = merge_settings("fast", flags={"temporal": "off"})


@dataclass
class Numbered(Unrefined):
    """A line whose alpha is everywhere the number that the picture shows, in hundredths."""

    takes: float = 0.0  # seconds
    runs: int = 0

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        self.runs += 1
        time.sleep(self.takes)
        number = int(image[0, 0, 0])
        return LineResult(
            Alpha(np.full(image.shape[:2], number / 100, np.float32)), report={"ms": {}}
        )


class Counting:
    """A camera whose frames show their numbers; on their right they are black.

    They come every `step` seconds; or, if that is None, whenever `gate` is opened.
    """

    def __init__(self, facts: ClipFacts, number: int = 100, step: float | None = 0.005) -> None:
        self.facts = facts
        self.gate = Semaphore(0)
        self._number, self._step = number, step

    def frames(self, stopped: Event) -> Iterator[CameraFrame]:
        for number in range(self._number):
            pixels = np.full((12, 16, 3), number, np.uint8)
            pixels[:, 8:] = 0
            if self._step is None:
                self.gate.acquire()
            elif stopped.wait(self._step):
                return
            yield CameraFrame(number, Fraction(number, 25), time.monotonic(), Image(pixels))


@dataclass
class Scripted:
    """A screen that keeps what it is shown, and presses keys after so many frames."""

    script: dict[int, str] = field(default_factory=dict)
    pictures: list[Image] = field(default_factory=list)
    lines: list[Sequence[str]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def show(self, picture: Image, lines: Sequence[str] = ()) -> None:
        self.pictures.append(picture)
        self.lines.append(lines)

    def pressed_keys(self) -> list[str]:
        return list(self.script.pop(len(self.pictures), ""))

    def set_title(self, title: str) -> None:
        self.titles.append(title)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Numbered:
    """The line of every preset."""
    found = Numbered()
    monkeypatch.setattr(
        "matte.clips.live.matting.build", lambda merged: Pipeline(found, OFF, 10**6)
    )
    return found


@pytest.fixture
def facts(tmp_path: Path) -> ClipFacts:
    return open_clip(clip(tmp_path / "facts.mp4", (0,), size=(16, 12))).facts


def ground(name: str) -> Choice:
    with open_composer(parse_background(name), CompositingSettings()) as composer:
        return Choice(name, composer)


def all_of(live: Live) -> list[LiveFrame]:
    found = []
    while not live.over:
        frame = live.frame(5)
        if frame is not None:
            found.append(frame)
    return found


def test_mask_and_picture_belong_together_however_slow_the_line_is(
    line: Numbered, facts: ClipFacts
) -> None:
    line.takes = 0.05
    with CameraWatcher(Counting(facts)) as newest, Live(newest, OFF, [ground("white")]) as live:
        found = all_of(live)
    numbers = [frame.shot.number for frame in found]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 99
    for frame, number in zip(found, numbers, strict=True):
        assert frame.image is frame.shot.pixels
        assert frame.alpha[0, 0] == pytest.approx(number / 100)
        alpha = Alpha(np.full((12, 16), number / 100, np.float32))
        subject = estimate_foreground(frame.image, alpha)
        assert (frame.shown == composite(subject, alpha, "white")).all()
    assert len(found) >= 3
    assert live.dropped + len(found) <= 100  # what came before the first was not yet to be seen
    assert live.dropped >= 10


def test_a_quick_line_sees_every_frame(line: Numbered, facts: ClipFacts) -> None:
    counting = Counting(facts, 20, step=None)
    with CameraWatcher(counting) as newest, Live(newest, OFF, [ground("white")]) as live:
        for number in range(20):
            counting.gate.release()
            frame = live.frame(5)
            assert frame is not None
            assert frame.shot.number == number
        assert live.frame(5) is None
        assert live.over
    assert live.dropped == 0


def test_frames_may_be_mirrored(line: Numbered, facts: ClipFacts) -> None:
    with CameraWatcher(Counting(facts, 1)) as newest, Live(newest, OFF, [ground("white")]) as live:
        live.mirror()
        frame = live.frame(5)
    assert frame is not None
    assert (frame.image == cv2.flip(frame.shot.pixels, 1)).all()
    assert (frame.image[:, :8] == 0).all()


def test_what_is_transparent_is_shown_on_a_board(line: Numbered, facts: ClipFacts) -> None:
    with (
        CameraWatcher(Counting(facts, 2)) as newest,
        Live(newest, OFF, [ground("transparent")]) as live,
    ):
        frame = live.frame(5)
    assert frame is not None
    assert frame.composite.shape == (12, 16, 4)
    assert frame.shown.shape == (12, 16, 3)
    assert frame.shown.max() > 150


class Spying:
    """A ground that keeps the times it is asked for."""

    def __init__(self) -> None:
        self.times: list[Fraction] = []

    def behind(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
        self.times.append(seconds)
        return image


class AsItIs(Composer):
    """Shows the camera's picture."""

    def compose(
        self, image: Image, foreground: Image, alpha: Alpha, seconds: Fraction = BEGINNING
    ) -> NDArray[Any]:
        return image


def test_grounds_stand_still_while_they_are_not_seen(line: Numbered, facts: ClipFacts) -> None:
    first, second = Spying(), Spying()
    grounds = [Choice("first", Composer(first)), Choice("second", Composer(second))]
    counting = Counting(facts, 9, step=None)
    with CameraWatcher(counting) as newest, Live(newest, OFF, grounds) as live:
        for number in range(9):
            counting.gate.release()
            assert live.ground == ("second" if 3 <= number < 6 else "first")
            assert live.frame(5) is not None
            if number in (2, 5):
                live.next_ground()
    assert len(first.times) == 6
    assert len(second.times) == 3
    assert max(first.times) <= Fraction(5, 25)
    assert first.times == sorted(first.times)


def until_preset(live: Live, name: str) -> None:
    for _ in range(1000):
        if live.preset == name:
            return
        live.frame(0.01)
    pytest.fail(f"{live.preset} did not become {name}")


def test_a_preset_takes_over_when_it_is_ready(
    monkeypatch: pytest.MonkeyPatch, facts: ClipFacts
) -> None:
    lines = {name: Numbered() for name in ("balanced", "best", "fast")}
    asked: list[MergedSettings] = []
    ready = Semaphore(1)

    def build(merged: MergedSettings) -> Pipeline:
        ready.acquire()
        asked.append(merged)
        return Pipeline(lines[merged.preset], merged, 10**6)

    monkeypatch.setattr("matte.clips.live.matting.build", build)
    merged = merge_settings("fast", flags={"temporal": "off", "threshold": 0.25})
    counting = Counting(facts, 10_000, 0.001)
    with CameraWatcher(counting) as newest, Live(newest, merged, [ground("white")]) as live:
        assert live.frame(5)
        live.next_preset()
        live.frame(5)
        assert live.preset == "fast → balanced"
        before = lines["fast"].runs
        assert live.frame(5)
        assert lines["fast"].runs == before + 1  # it goes on meanwhile
        ready.release()
        until_preset(live, "balanced")
        assert live.frame(5)
        assert lines["balanced"].runs >= 2  # once before it was seen
        ready.release(2)
        live.next_preset()
        live.next_preset()
        until_preset(live, "fast")
    assert [found.preset for found in asked][:2] == ["fast", "balanced"]
    assert {found.config.segmentation.threshold for found in asked} == {0.25}
    assert {found.config.video.temporal for found in asked} == {"off"}


def test_a_preset_that_can_not_be_had_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, facts: ClipFacts
) -> None:
    def build(merged: MergedSettings) -> Pipeline:
        if merged.preset != "fast":
            raise WeightsError("no weights", "fetch them")
        return Pipeline(Numbered(), OFF, 10**6)

    monkeypatch.setattr("matte.clips.live.matting.build", build)
    counting = Counting(facts, 10_000, 0.001)
    with CameraWatcher(counting) as newest, Live(newest, OFF, [ground("white")]) as live:
        live.next_preset()
        with pytest.warns(MatteWarning, match="balanced can't be had: no weights: fetch them"):
            until_preset(live, "fast")
        assert live.frame(5)


def test_what_takes_over_is_told_once(monkeypatch: pytest.MonkeyPatch, facts: ClipFacts) -> None:
    class Doubting(Numbered):
        def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
            told = {"ms": {}, "fallback": {"reason": "no certain subject", "to": "modnet"}}
            return LineResult(super().run(image, prior).alpha, report=told)

    monkeypatch.setattr(
        "matte.clips.live.matting.build", lambda merged: Pipeline(Doubting(), OFF, 10**6)
    )
    with (
        CameraWatcher(Counting(facts, 5)) as newest,
        Live(newest, OFF, [ground("white")]) as live,
        warnings.catch_warnings(record=True) as said,
    ):
        warnings.simplefilter("always")
        all_of(live)
    assert [str(warning.message) for warning in said] == [
        "no certain subject: such frames' mattes are MODNet's"
    ]


def test_a_frame_later_is_too_late(line: Numbered, facts: ClipFacts) -> None:
    merged = merge_settings("fast", flags={"temporal": "ofd"})
    with pytest.raises(SettingError, match="give flow or off"):
        Live(CameraWatcher(Counting(facts)), merged, [ground("white")])


def test_times_are_told() -> None:
    tally = Tally()
    assert (tally.fps, tally.recent_fps, tally.latency, tally.running) == (0, 0, 0, 0)
    assert tally.latencies() == (0, 0)
    for _ in range(40):
        time.sleep(0.002)
        tally.add(time.monotonic() - 0.1)
    usual, most = tally.latencies()
    assert 0.1 <= usual <= most < 0.3
    assert 0.1 <= tally.latency < 0.3
    assert tally.fps == pytest.approx(39 / tally.seconds)
    assert 1 < tally.recent_fps < 500


def shown(
    counting: Counting | ClipCamera,
    screen: Scripted | None,
    recorder: Recorder,
    until: Until = Until(),  # noqa: B008  # frozen
    grounds: Sequence[str] = ("white",),
    check: Callable[[], None] = lambda: None,
) -> tuple[Show, list[Path]]:
    written: list[Path] = []
    choices = [ground(name) for name in grounds]
    with CameraWatcher(counting) as newest, Live(newest, OFF, choices) as live:
        show = Show(live, recorder, screen, written.append)
        show.run(until, check)
    return show, written


def test_keys_change_what_is_shown(line: Numbered, facts: ClipFacts, tmp_path: Path) -> None:
    script = {2: "b", 4: "m", 6: "h", 8: "h", 10: "s", 12: "bs", 14: "r", 20: "r", 22: "?q"}
    screen = Scripted(script)
    recorder = Recorder(facts, tmp_path / "webcam.mp4")
    counting = Counting(facts, 1000)
    show, written = shown(counting, screen, recorder, grounds=("white", "blue", "transparent"))
    assert show.tally.shown == len(screen.pictures) == 22
    assert (screen.pictures[1][0, 8] > 200).all()  # white
    assert screen.pictures[3][0, 8, 0] < 50  # blue
    assert [bool(lines) for lines in screen.lines] == [6 <= at < 8 for at in range(22)]
    assert len(screen.lines[6]) == len(KEYS)
    assert [path.name for path in written] == ["webcam-1.png", "webcam-2.png", "webcam-1.mp4"]
    assert read_photo(written[0]).pixels.shape == (12, 16, 3)
    assert written[1].stat().st_size > 0
    assert len(list(open_clip(written[2]).frames())) == 6
    assert screen.titles[0].startswith("matte: fast on white · ")


def test_a_picture_without_ground_is_saved_as_a_cut_out(
    line: Numbered, facts: ClipFacts, tmp_path: Path
) -> None:
    recorder = Recorder(facts, tmp_path / "a.mp4")
    _, written = shown(Counting(facts), Scripted({3: "sq"}), recorder, grounds=("transparent",))
    with Pillow.open(written[0]) as picture:
        assert (picture.mode, picture.size) == ("RGBA", (16, 12))


@pytest.mark.parametrize("key", [["q"], ["escape"]])
def test_it_ends_by_key(line: Numbered, facts: ClipFacts, tmp_path: Path, key: list[str]) -> None:
    class Quitting(Scripted):
        def pressed_keys(self) -> list[str]:
            return key if len(self.pictures) == 3 else []

    recorder = Recorder(facts, tmp_path / "a.mp4")
    recorder.start(tmp_path / "a.mp4")
    _, written = shown(Counting(facts, 1000), Quitting(), recorder)
    assert [path.name for path in written] == ["a.mp4"]
    assert len(list(open_clip(written[0]).frames())) == 3


def test_it_ends_by_itself(line: Numbered, facts: ClipFacts, tmp_path: Path) -> None:
    recorder = Recorder(facts, tmp_path / "a.mp4")
    show, _ = shown(Counting(facts, 1000), None, recorder, Until(frames=7))
    assert show.tally.shown == 7
    began = time.monotonic()
    show, _ = shown(Counting(facts, 100_000), None, recorder, Until(seconds=0.2))
    assert 0.2 <= time.monotonic() - began < 5
    show, _ = shown(Counting(facts, 5, 0.05), None, recorder)
    assert 1 <= show.tally.shown <= 5


def test_a_recording_is_finished_however_it_ends(
    line: Numbered, facts: ClipFacts, tmp_path: Path
) -> None:
    class Failing(Counting):
        def frames(self, stopped: Event) -> Iterator[CameraFrame]:
            yield from super().frames(stopped)
            raise PictureError("the camera gives no more pictures")

    def interrupt() -> None:
        raise KeyboardInterrupt

    recorder = Recorder(facts, tmp_path / "none.mp4")
    recorder.start(tmp_path / "none.mp4")
    with pytest.raises(KeyboardInterrupt):
        shown(Counting(facts), None, recorder, check=interrupt)
    recorder.start(tmp_path / "a.mp4")
    with pytest.raises(PictureError, match="no more pictures"):
        shown(Failing(facts, 5, 0.05), None, recorder)
    assert 1 <= len(list(open_clip(tmp_path / "a.mp4").frames())) <= 5
    assert names(tmp_path) == ["a.mp4", "facts.mp4"]


def test_a_recording_has_the_times_of_the_frames(line: Numbered, tmp_path: Path) -> None:
    line.takes = 0.06
    source = ClipCamera(clip(tmp_path / "in.mp4", CFR))
    recorder = Recorder(source.facts, tmp_path / "out.mp4")
    recorder.start(tmp_path / "out.mp4")
    live_numbers: list[CameraFrame] = []
    with (
        CameraWatcher(source) as newest,
        Live(newest, OFF, [Choice("as it is", AsItIs())]) as live,
    ):
        show = Show(live, recorder)
        taking = live.frame

        def spied(patience: float) -> LiveFrame | None:
            frame = taking(patience)
            if frame is not None:
                live_numbers.append(frame.shot)
            return frame

        live.frame = spied  # type: ignore[method-assign]  # only to see what passes
        show.run(Until())
    found = open_clip(tmp_path / "out.mp4")
    frames = list(found.frames())
    assert 2 <= len(frames) == len(live_numbers) < len(CFR)
    first = live_numbers[0].seconds
    for frame, shot in zip(frames, live_numbers, strict=True):
        assert not isinstance(frame, BrokenFrame)
        assert abs(found.seconds(frame.pts) - (shot.seconds - first)) <= Fraction(1, 90_000)
        assert mean_error(frame.pixels, still(round(shot.seconds / (1001 * BASE)))) < 4


def test_what_can_not_be_written_ends_no_show(
    line: Numbered, facts: ClipFacts, tmp_path: Path
) -> None:
    recorder = Recorder(facts, tmp_path / "none" / "a.mp4")
    screen = Scripted({2: "r", 4: "s", 6: "q"})
    with pytest.warns(MatteWarning, match="no folder") as said:
        show, written = shown(Counting(facts), screen, recorder)
    assert (show.tally.shown, written, len(said)) == (6, [], 2)


def test_names_that_are_free(tmp_path: Path) -> None:
    assert free(tmp_path / "a.mp4").name == "a-1.mp4"
    (tmp_path / "a-1.mp4").touch()
    (tmp_path / "a-2.mp4").symlink_to("nowhere")
    assert free(tmp_path / "a.mp4").name == "a-3.mp4"
    assert free(tmp_path / "a.mp4", ".png").name == "a-1.png"
