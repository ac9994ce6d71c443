"""Clips that are whole but odd, or damaged where it does not show."""

from fractions import Fraction
from pathlib import Path

import av

from matte.media.video.clip import BrokenFrame, Clip, open_clip
from matte.media.video.writer import ClipWriter
from tests.media.clips import clip, still


def test_long_frames_at_the_end_are_no_cut(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", range(0, 24000 * 6, 24000), rate=Fraction(1))
    found = list(open_clip(source).frames())
    assert len(found) == 6
    assert not any(isinstance(frame, BrokenFrame) for frame in found)


def test_an_hour_without_frames_is_kept(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4")
    times = [0, 1001, 2002, 3600 * 24000, 3600 * 24000 + 1001]
    with ClipWriter(tmp_path / "out.mp4", open_clip(source).facts) as writer:
        for at, time in enumerate(times):
            writer.write(still(at), time, 1001)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [frame.pts for frame in container.decode(video=0)] == times


def _copy(source: Clip, to: Path) -> None:
    with ClipWriter(to, source.facts) as writer:
        writer.copy_from(source)
        for frame in source.frames():
            writer.write(still(0), frame.pts, frame.duration)
