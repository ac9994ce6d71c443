import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
from PIL import Image as Pillow

from matte.clips.live.matting import LiveMatting
from matte.clips.live.recording import Recorder
from matte.clips.live.show import KEYS, LiveShow, StopCondition
from matte.errors import MatteWarning, PictureError
from matte.media.pictures import read_photo
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.clip import open_clip
from matte.media.video.facts import ClipFacts
from tests.clips.live.cameras import (
    OFF,
    CountingCamera,
    NumberedLine,
    ScriptedScreen,
    background,
    pipelines_of,
)
from tests.media.clips import names


def shown(
    line: NumberedLine,
    camera: CountingCamera,
    screen: ScriptedScreen | None,
    recorder: Recorder,
    until: StopCondition = StopCondition(),  # noqa: B008  # frozen
    grounds: Sequence[str] = ("white",),
    check: Callable[[], None] = lambda: None,
) -> tuple[LiveShow, list[Path]]:
    written: list[Path] = []
    choices = [background(name) for name in grounds]
    with (
        CameraWatcher(camera) as newest,
        LiveMatting(newest, OFF, pipelines_of(line), choices) as live,
    ):
        show = LiveShow(live, recorder, screen, written.append)
        show.run(until, check)
    return show, written


def test_keys_change_what_is_shown(line: NumberedLine, facts: ClipFacts, tmp_path: Path) -> None:
    script = {2: "b", 4: "m", 6: "h", 8: "h", 10: "s", 12: "bs", 14: "r", 20: "r", 22: "?q"}
    screen = ScriptedScreen(script)
    recorder = Recorder(facts, tmp_path / "webcam.mp4")
    counting = CountingCamera(facts, 1000)
    show, written = shown(
        line, counting, screen, recorder, grounds=("white", "blue", "transparent")
    )
    assert show.statistics.shown == len(screen.pictures) == 22
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
    line: NumberedLine, facts: ClipFacts, tmp_path: Path
) -> None:
    recorder = Recorder(facts, tmp_path / "a.mp4")
    _, written = shown(
        line, CountingCamera(facts), ScriptedScreen({3: "sq"}), recorder, grounds=("transparent",)
    )
    with Pillow.open(written[0]) as picture:
        assert (picture.mode, picture.size) == ("RGBA", (16, 12))


@pytest.mark.parametrize("key", [["q"], ["escape"]])
def test_it_ends_by_key(
    line: NumberedLine, facts: ClipFacts, tmp_path: Path, key: list[str]
) -> None:
    class Quitting(ScriptedScreen):
        def pressed_keys(self) -> list[str]:
            return key if len(self.pictures) == 3 else []

    recorder = Recorder(facts, tmp_path / "a.mp4")
    recorder.start(tmp_path / "a.mp4")
    _, written = shown(line, CountingCamera(facts, 1000), Quitting(), recorder)
    assert [path.name for path in written] == ["a.mp4"]
    assert len(list(open_clip(written[0]).frames())) == 3


def test_it_ends_by_itself(line: NumberedLine, facts: ClipFacts, tmp_path: Path) -> None:
    recorder = Recorder(facts, tmp_path / "a.mp4")
    show, _ = shown(line, CountingCamera(facts, 1000), None, recorder, StopCondition(frames=7))
    assert show.statistics.shown == 7
    began = time.monotonic()
    show, _ = shown(
        line, CountingCamera(facts, 100_000), None, recorder, StopCondition(seconds=0.2)
    )
    assert 0.2 <= time.monotonic() - began < 5
    show, _ = shown(line, CountingCamera(facts, 5, 0.05), None, recorder)
    assert 1 <= show.statistics.shown <= 5


def test_a_recording_is_finished_however_it_ends(
    line: NumberedLine, facts: ClipFacts, tmp_path: Path
) -> None:
    class Failing(CountingCamera):
        def frames(self, stopped: Event) -> Iterator[CameraFrame]:
            yield from super().frames(stopped)
            raise PictureError("the camera gives no more pictures")

    def interrupt() -> None:
        raise KeyboardInterrupt

    recorder = Recorder(facts, tmp_path / "none.mp4")
    recorder.start(tmp_path / "none.mp4")
    with pytest.raises(KeyboardInterrupt):
        shown(line, CountingCamera(facts), None, recorder, check=interrupt)
    recorder.start(tmp_path / "a.mp4")
    with pytest.raises(PictureError, match="no more pictures"):
        shown(line, Failing(facts, 5, 0.05), None, recorder)
    assert 1 <= len(list(open_clip(tmp_path / "a.mp4").frames())) <= 5
    assert names(tmp_path) == ["a.mp4", "facts.mp4"]


def test_what_can_not_be_written_ends_no_show(
    line: NumberedLine, facts: ClipFacts, tmp_path: Path
) -> None:
    recorder = Recorder(facts, tmp_path / "none" / "a.mp4")
    screen = ScriptedScreen({2: "r", 4: "s", 6: "q"})
    with pytest.warns(MatteWarning, match="no folder") as said:
        show, written = shown(line, CountingCamera(facts), screen, recorder)
    assert (show.statistics.shown, written, len(said)) == (6, [], 2)


def test_a_click_follows_and_what_can_not_be_done_is_a_warning(
    line: NumberedLine, facts: ClipFacts, tmp_path: Path
) -> None:
    screen = ScriptedScreen({3: "a", 4: "q"}, {2: [(0.2, 0.5)]})
    recorder = Recorder(facts, tmp_path / "a.mp4")
    with pytest.warns(MatteWarning, match="makes no mask, so --subject means nothing"):
        show, _ = shown(line, CountingCamera(facts, 100), screen, recorder)
    assert show.statistics.shown == 4
