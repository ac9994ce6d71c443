from matte.media.video.camera_watcher import CameraWatcher
from matte.media.video.facts import ClipFacts
from tests.clips.live.cameras import CountingCamera, NumberedLine, matting


def test_what_is_transparent_is_shown_on_a_board(line: NumberedLine, facts: ClipFacts) -> None:
    with (
        CameraWatcher(CountingCamera(facts, 2)) as newest,
        matting(newest, line, "transparent") as live,
    ):
        frame = live.next_frame(5)
    assert frame is not None
    assert frame.composite.shape == (12, 16, 4)
    assert frame.shown.shape == (12, 16, 3)
    assert frame.shown.max() > 150
