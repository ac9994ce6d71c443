from fractions import Fraction
from pathlib import Path

from matte.arrays import Image
from matte.clips.live.frames import LiveBackground, LiveFrame
from matte.clips.live.matting import LiveMatting
from matte.clips.live.recording import Recorder, next_free_path
from matte.clips.live.show import LiveShow, StopCondition
from matte.media.video.camera import ClipCamera
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.clip import BrokenFrame, open_clip
from tests.clips.live.cameras import OFF, NumberedLine, UnchangedComposer, pipelines_of
from tests.media.clips import BASE, CFR, clip, frame_times, mean_error, packets, still


def test_a_recording_has_the_times_of_the_frames(line: NumberedLine, tmp_path: Path) -> None:
    line.takes = 0.06
    source = ClipCamera(clip(tmp_path / "in.mp4", CFR))
    unchanged = LiveBackground("as it is", UnchangedComposer())
    recorder = Recorder(source.facts, tmp_path / "out.mp4")
    recorder.start(tmp_path / "out.mp4")
    live_numbers: list[CameraFrame] = []
    with (
        CameraWatcher(source) as newest,
        LiveMatting(newest, OFF, pipelines_of(line), [unchanged]) as live,
    ):
        show = LiveShow(live, recorder)
        taking = live.next_frame

        def spied(timeout: float) -> LiveFrame | None:
            frame = taking(timeout)
            if frame is not None:
                live_numbers.append(frame.shot)
            return frame

        live.next_frame = spied  # type: ignore[method-assign]  # only to see what passes
        show.run(StopCondition())
    found = open_clip(tmp_path / "out.mp4")
    frames = list(found.frames())
    assert 2 <= len(frames) == len(live_numbers) < len(CFR)
    first = live_numbers[0].seconds
    for frame, shot in zip(frames, live_numbers, strict=True):
        assert not isinstance(frame, BrokenFrame)
        assert abs(found.seconds(frame.pts) - (shot.seconds - first)) <= Fraction(1, 90_000)
        assert mean_error(frame.pixels, still(round(shot.seconds / (1001 * BASE)))) < 4


def test_recordings_have_the_sound_of_the_clip_that_is_played(tmp_path: Path) -> None:
    """Two of them, the second over the place where the clip begins again."""
    source = clip(tmp_path / "in.mp4", CFR, sound="stereo")
    played = ClipCamera(source, loop=True)
    recorder = Recorder(played.facts, tmp_path / "a.mp4", played)
    length = 20 * 1001 * BASE
    shots = [(n * 1001 * BASE) for n in range(50)]
    heard = packets(source, "audio")
    for first, last in ((3, 9), (12, 50)):
        recorder.start()
        for number in range(first, last):
            if number == 20:
                played.loop_seconds = length  # as its frames() says then
            recorder.write(Image(still(number)), shots[number])
        path = recorder.stop()
        assert path is not None
        begin, end = shots[first], shots[last - 1] + 1001 * BASE
        wanted = [
            (loop * length + time - begin, data)
            for loop in range(3)
            for time, data in heard
            if 0 <= time < length and begin <= loop * length + time < end
        ]
        found = packets(path, "audio")
        assert [data for _, data in found] == [data for _, data in wanted]
        shifts = [abs(a - b) for (a, _), (b, _) in zip(found, wanted, strict=True)]
        assert max(shifts) < Fraction(1, 10_000)
        assert len(frame_times(open_clip(path))) == last - first


def test_names_that_are_free(tmp_path: Path) -> None:
    assert next_free_path(tmp_path / "a.mp4").name == "a-1.mp4"
    (tmp_path / "a-1.mp4").touch()
    (tmp_path / "a-2.mp4").symlink_to("nowhere")
    assert next_free_path(tmp_path / "a.mp4").name == "a-3.mp4"
    assert next_free_path(tmp_path / "a.mp4", ".png").name == "a-1.png"
