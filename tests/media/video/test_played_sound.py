"""Sound of a clip that is played in a loop, in recordings that begin and end anywhere."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matte.errors import MatteWarning
from matte.media.video.clip import open_clip
from matte.media.video.writer import ClipWriter
from tests.media.clips import CFR, clip, packets, still

STEP = Fraction(1, 25)
TOLERANCE = Fraction(1, 1000)  # of MKV's times


def recorded(
    source: Path,
    to: Path,
    begin: Fraction,
    frames: int,
    length: Fraction | None = None,
    known_from: int = 0,
) -> list[tuple[Fraction, bytes]]:
    """Record so many pictures; the clip's length is known from one of them on."""
    facts, now = open_clip(source).facts, [0]
    with ClipWriter(to, facts) as writer:
        sound = writer.copy_sound(facts, begin, lambda: length if now[0] >= known_from else None)
        for number in range(frames):
            now[0] = number
            pts = round(number * STEP / facts.time_base)
            sound.end = (number + 1) * STEP
            writer.write(still(number), pts, round(STEP / facts.time_base))
    return packets(to, "audio")


def wanted(
    source: Path, begin: Fraction, end: Fraction, length: Fraction | None
) -> list[tuple[Fraction, bytes]]:
    """The source's packets at their times in the recording."""
    found, start, given = [], Fraction(0), packets(source, "audio")
    while length is not None or not start:
        for time, data in given:
            at = start + time - begin
            is_heard = (at >= 0 and time >= 0) or begin == start == 0
            if is_heard and at < end and (length is None or time < length):
                found.append((at, data))
        if length is None or start > begin + end:
            break
        start += length
    return found


@pytest.mark.parametrize(
    ("begin", "frames", "length", "known_from"),
    [
        ("0", 10, None, 0),
        ("0.3", 8, None, 0),
        ("0.3", 60, None, 0),  # beyond the clip's end
        ("0", 60, "0.8", 21),  # twice and a half, known when it begins again
        ("0.5", 40, "0.8", 8),
        ("2.1", 40, "0.8", 0),  # begins in the third loop
        ("0", 60, "1.5", 38),  # the pictures are longer than the sound
        ("1.2", 60, "1.5", 8),  # begins where there is no more sound
        ("0.07", 30, "0.2", 4),  # the sound is much longer than they are
    ],
)
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sound_is_where_it_was_played(
    tmp_path: Path, begin: str, frames: int, length: str | None, known_from: int, suffix: str
) -> None:
    source = clip(tmp_path / "in.mp4", CFR, sound="stereo")
    loop = None if length is None else Fraction(length)
    start = Fraction(begin)
    found = recorded(source, tmp_path / f"out{suffix}", start, frames, loop, known_from)
    expected = wanted(source, start, frames * STEP, loop)
    assert [data for _, data in found] == [data for _, data in expected]
    times = np.array([[float(a), float(b)] for (a, _), (b, _) in zip(found, expected, strict=True)])
    assert np.abs(times[:, 0] - times[:, 1]).max() < TOLERANCE
    assert len(found) > 5


def test_sound_is_all_that_is_copied(tmp_path: Path) -> None:
    source = clip(
        tmp_path / "in.mp4", CFR, sound="stereo", text=True, chapters=True, metadata={"title": "T"}
    )
    recorded(source, tmp_path / "out.mp4", Fraction(0), 10)
    facts = open_clip(tmp_path / "out.mp4").facts
    assert [track.kind for track in facts.tracks] == ["audio"]


def test_a_clip_without_sound_and_sound_that_no_place_is_for(tmp_path: Path) -> None:
    silent = clip(tmp_path / "a.mp4", CFR)
    facts = open_clip(silent).facts
    with ClipWriter(tmp_path / "out.mp4", facts) as writer:
        writer.copy_sound(facts, Fraction(0), lambda: Fraction(1, 2))
        for pts in CFR:
            writer.write(still(0), pts)
    assert open_clip(tmp_path / "out.mp4").facts.tracks == ()
    heard = clip(tmp_path / "b.mp4", CFR, sound="stereo", text=True)
    facts = open_clip(heard).facts
    with ClipWriter(tmp_path / "out.webm", facts) as writer:
        with pytest.warns(
            MatteWarning, match=r"left out: aac audio.*WebM can't hold it\)$"
        ) as said:
            writer.copy_sound(facts, Fraction(0), lambda: None)
        writer.write(still(0), 0)
    assert len(said) == 1
