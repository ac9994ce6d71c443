from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from matte.errors import MatteWarning
from matte.media.video.clip import Clip, Frame, open_clip
from matte.media.video.writer import ClipWriter
from tests.media.clips import BASE, STEP, clip, copied_clip, frame_times, packets, still

TS: dict[str, Any] = {
    "codec": "mpeg2video",
    "rate": Fraction(25),
    "base": Fraction(1, 25),
    "options": {"bf": "0"},
}


def test_sound_of_an_unknown_kind_is_no_hindrance(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", sound="stereo")
    data = source.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"zzzz")
    source.write_bytes(data)
    found = open_clip(source)
    assert [(track.kind, track.codec) for track in found.facts.tracks] == [("audio", "unknown")]
    with pytest.warns(MatteWarning, match="left out: unknown audio"):
        _copy(found, tmp_path / "out.mkv")
    assert len(packets(tmp_path / "out.mkv", "video")) == 20


def test_sound_that_begins_later_is_no_hindrance(tmp_path: Path) -> None:
    silent = clip(tmp_path / "a.ts", range(20), **TS)
    heard = clip(tmp_path / "b.ts", range(20, 40), sound="stereo", offset=Fraction(4, 5), **TS)
    source = tmp_path / "in.ts"
    source.write_bytes(silent.read_bytes() + heard.read_bytes())
    assert sum(isinstance(frame, Frame) for frame in open_clip(source).frames()) == 40


def test_damaged_sound_does_not_end_the_work(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.ts", range(30), sound="stereo", **TS)
    sound = packets(source, "audio")
    data, header = source.read_bytes(), sound[0][1][:3]
    middle = data.index(header, len(data) // 2)
    source.write_bytes(data[:middle] + bytes(3) + data[middle + 3 :])
    found = open_clip(source)
    with pytest.warns(MatteWarning, match="damaged sound"):
        _copy(found, tmp_path / "out.mp4")
    assert len(packets(tmp_path / "out.mp4", "video")) == 30
    assert 0 < len(packets(tmp_path / "out.mp4", "audio")) < len(sound)


def _copy(source: Clip, to: Path) -> None:
    with ClipWriter(to, source.facts) as writer:
        writer.copy_from(source)
        for frame in source.frames():
            writer.write(still(0), frame.pts, frame.duration)


@pytest.mark.parametrize(("inside", "outside"), [(".mp4", ".mp4"), (".mkv", ".mkv")])
def test_what_lies_beside_the_pictures_is_copied(tmp_path: Path, inside: str, outside: str) -> None:
    path = clip(
        tmp_path / f"in{inside}",
        sound="stereo",
        text=True,
        chapters=True,
        metadata={"title": "A name", "comment": "Hm"},
    )
    source = open_clip(path)
    found = copied_clip(source, tmp_path / f"out{outside}")
    for kind in ("audio", "subtitle"):
        assert packets(found.path, kind) == packets(path, kind)
    assert found.facts.chapters == source.facts.chapters
    said = {key.lower(): text for key, text in found.facts.metadata.items()}
    assert said.items() >= {("title", "A name"), ("comment", "Hm")}


def test_what_can_not_be_held_is_said_once(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", sound="stereo", text=True, second=True)
    source = open_clip(path)
    with pytest.warns(MatteWarning) as said:
        found = copied_clip(source, tmp_path / "out.webm")
    assert [str(warning.message) for warning in said] == [
        "left out: h264 video (only the first pictures are written), "
        "aac audio (WebM can't hold it), mov_text subtitle (WebM can't hold it)"
    ]
    assert not found.facts.tracks


def test_ranges_cut_sound_and_chapters_alike(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", range(0, 40 * STEP, STEP), sound="stereo", chapters=True)
    source = open_clip(path)
    start, end = 0.25, 1.0
    frames = list(source.frames(start, end))
    with ClipWriter(tmp_path / "out.mp4", source.facts) as writer:
        writer.copy_from(source, start, end)
        for frame in frames:
            assert isinstance(frame, Frame)
            writer.write(frame.pixels, frame.pts, frame.duration)
    found = open_clip(tmp_path / "out.mp4")
    first = frames[0].pts
    assert frame_times(found) == [(frame.pts - first) * BASE for frame in frames]
    heard = [
        (time, data)
        for time, data in packets(path, "audio")
        if first * BASE <= time < Fraction(end)
    ]
    came = packets(found.path, "audio")
    assert [data for _, data in came] == [data for _, data in heard]
    for (before, _), (after, _) in zip(heard, came, strict=True):
        assert abs(before - first * BASE - after) <= Fraction(1, 48000)
    parts = [(part.metadata["title"], part.start, part.end) for part in found.facts.chapters]
    assert [title for title, _, _ in parts] == ["Part 0", "Part 1"]
    assert parts[0][1] == 0
    assert abs(parts[0][2] - (Fraction(3, 10) - first * BASE)) < Fraction(1, 900)
