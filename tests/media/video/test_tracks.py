from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from matte.errors import MatteWarning
from matte.media.video.clip import Clip, Frame, open_clip
from matte.media.video.writer import ClipWriter
from tests.media.clips import clip, packets, still

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
