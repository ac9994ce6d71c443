from fractions import Fraction
from pathlib import Path

from matte.media.video.clip import open_clip
from matte.media.video.facts import ColourTags
from tests.media.clips import BASE, STEP, clip


def test_what_is_known_of_a_clip(tmp_path: Path) -> None:
    path = clip(
        tmp_path / "in.mp4",
        sound="5.1",
        text=True,
        chapters=True,
        aspect=Fraction(4, 3),
        colours=(2, 6, 6, 6),
        metadata={"title": "A name"},
    )
    facts = open_clip(path).facts
    assert (facts.width, facts.height, facts.sample_aspect) == (64, 48, Fraction(4, 3))
    assert (facts.average_rate, facts.rate) == (Fraction(24000, 1001),) * 2
    assert facts.duration == 20 * STEP * BASE
    assert (facts.frames, facts.codec, facts.depth, facts.deep) == (20, "h264", 8, False)
    assert facts.colours == ColourTags(2, 6, 6, 6)
    assert [str(track) for track in facts.tracks] == ["aac audio", "mov_text subtitle"]
    assert [(float(part.start), part.metadata["title"]) for part in facts.chapters] == [
        (0, "Part 0"),
        (0.3, "Part 1"),
    ]
    assert facts.metadata["title"] == "A name"
