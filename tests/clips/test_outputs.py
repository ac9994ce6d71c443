import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.clips.output_files import VideoFiles
from matte.clips.outputs import VideoWriters
from matte.errors import MatteError, MatteWarning, OutputError, SettingError
from matte.imaging.bit_depth import quantise_alpha
from matte.media.pictures import read_alpha, read_image
from matte.media.video.clip import Clip, open_clip
from tests.clips.matted import frames, pictures
from tests.media.clips import BASE, CFR, STEP, VFR, clip, mean_error, names, packets, transparent


def written(found: Clip, files: VideoFiles, **how: Any) -> list[Path]:
    with VideoWriters(files, found, **how) as passes:
        for frame in frames(found, how.get("start", 0), files.transparent):
            passes.write(frame)
    assert not passes.partial
    return passes.written


def times(path: Path) -> list[Fraction]:
    found = open_clip(path)
    return [frame.pts * found.facts.time_base for frame in found.frames()]


@pytest.fixture
def source(tmp_path: Path) -> Clip:
    return open_clip(clip(tmp_path / "in.mp4", VFR, sound="stereo", chapters=True))


def test_all_three_as_clips(tmp_path: Path, source: Clip) -> None:
    files = VideoFiles(tmp_path / "o.mp4", tmp_path / "a.mov", tmp_path / "f.mp4")
    assert written(source, files) == list(files.paths())
    given, clips = frames(source), [pictures(path) for path in files.paths()]
    assert [times(path) for path in files.paths()] == [times(source.path)] * 3
    for at, frame in enumerate(given):
        grey = np.dstack([quantise_alpha(frame.alpha, np.uint8)] * 3)
        expected = (frame.composite, grey, frame.foreground)
        for found, wanted in zip(clips, expected, strict=True):
            assert mean_error(found[at], wanted) < 4
    assert packets(tmp_path / "o.mp4", "audio") == packets(source.path, "audio")
    for name, chapters in (("o.mp4", 2), ("a.mov", 0), ("f.mp4", 0)):
        facts = open_clip(tmp_path / name).facts
        assert len(facts.chapters) == chapters
        assert bool(facts.tracks) == (chapters > 0)
        assert facts.codec == "h264"


def test_a_range_keeps_them_together(tmp_path: Path) -> None:
    late = tuple(t + 7000 for t in VFR)
    source = open_clip(clip(tmp_path / "in.mp4", late, sound="stereo"))
    start = float(source.seconds(late[4]))
    files = VideoFiles(tmp_path / "o.mp4", tmp_path / "a.mp4", tmp_path / "f.mkv")
    written(source, files, start=start)
    expected = [(time - late[4] + late[0]) * BASE for time in late[4:]]
    assert times(tmp_path / "o.mp4") == times(tmp_path / "a.mp4") == expected
    assert all(
        abs(one - other) < Fraction(1, 1000)
        for one, other in zip(times(tmp_path / "f.mkv"), expected, strict=True)
    )


@pytest.mark.parametrize("suffix", [".mov", ".webm", ".mkv"])
def test_cut_outs(tmp_path: Path, source: Clip, suffix: str) -> None:
    path = tmp_path / f"o{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatteWarning)  # WebM has no AAC
        assert written(source, VideoFiles(path, transparent=True)) == [path]
    for found, frame in zip(transparent(path), frames(source, cut_out=True), strict=True):
        assert np.abs(found[..., 3].astype(int) - frame.composite[..., 3]).max() <= 8


def test_numbered_pictures_and_animations(tmp_path: Path, source: Clip) -> None:
    (tmp_path / "p").mkdir()
    files = VideoFiles(
        tmp_path / "o.webp", tmp_path / "alpha", tmp_path / "p" / "f%03d.png", transparent=True
    )
    with pytest.warns(MatteWarning, match=r"left out: aac audio.* \(o.webp can't hold sound\)"):
        written(source, files)
    with Pillow.open(tmp_path / "o.webp") as animation:
        assert animation.n_frames == len(VFR)  # type: ignore[attr-defined]  # of animations
    assert names(tmp_path / "p")[0] == "f001.png"
    for at, frame in enumerate(frames(source)):
        found = read_alpha(tmp_path / "alpha" / f"{at + 1:05d}.png")
        assert np.abs(found - frame.alpha).max() < 1 / 65000
        foreground = read_image(tmp_path / "p" / f"f{at + 1:03d}.png")
        np.testing.assert_array_equal(foreground, frame.foreground)


@pytest.mark.parametrize(
    ("name", "codec", "found", "worst"),
    [
        ("a.mp4", None, "h264", 0.03),
        ("a.mp4", "prores", "h264", 0.03),  # not for .mp4
        ("a.mov", "prores", "prores", 0.005),
        ("a.mkv", "ffv1", "ffv1", 1 / 65000),
        ("a.webm", None, "vp9", 0.04),
    ],
)
def test_mattes_are_as_fine_as_their_codec(
    tmp_path: Path, source: Clip, name: str, codec: str | None, found: str, worst: float
) -> None:
    composite = None if codec is None else tmp_path / ("o.mov" if codec == "prores" else "o.mkv")
    written(source, VideoFiles(composite, tmp_path / name, codec=codec))
    assert open_clip(tmp_path / name).facts.codec == found
    for frame, picture in zip(frames(source), pictures(tmp_path / name), strict=True):
        share = picture[..., 1] / np.iinfo(picture.dtype).max
        assert np.abs(share - frame.alpha).max() <= worst


def test_deep_clips_stay_deep(tmp_path: Path) -> None:
    source = open_clip(
        clip(
            tmp_path / "in.mp4",
            CFR[:6],
            codec="libx265",
            pixel_format="yuv420p10le",
            options={"x265-params": "log-level=error"},
        )
    )
    files = VideoFiles(tmp_path / "o.mp4", tmp_path / "a.mp4", tmp_path / "f.mp4")
    written(source, files)
    deep = [open_clip(path).facts.deep for path in files.paths()]
    assert deep == [True, False, True]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"composite": "in.mp4", "overwrite": True}, "named twice"),
    ({"composite": "link.mov", "overwrite": True}, "named twice"),
    ({"composite": "beach.mp4", "overwrite": True}, "named twice"),
    ({"composite": "o.mp4", "alpha": "in.mp4", "overwrite": True}, "named twice"),
    ({"composite": "o.mp4", "alpha": "o.mp4"}, "named twice"),
    ({"composite": "o.mp4", "alpha": "there.mp4"}, "exists"),
    ({"composite": "o.mp4", "foreground": "there.mp4"}, "exists"),
    ({"composite": "frames", "foreground": "frames/%05d.png"}, "named twice"),
    ({"composite": "o.mp4", "alpha": "pngs"}, "holds 00001.png"),
    ({"composite": "o.mp4", "alpha": "none/a.mp4"}, "no folder"),
    ({"composite": "o.mp4", "alpha": "none/below/a%d.png"}, "no folder"),
    ({"composite": "o.mp4", "alpha": "none/frames"}, "no folder"),
    ({"composite": "o.mp4", "alpha": "plain"}, "can't write"),
    ({"composite": "o.mp4", "alpha": "a.png"}, r"one picture, a video has many: .*a%05d.png"),
    ({"composite": "o.mp4", "alpha": "a.tif"}, "end it in"),
    ({"composite": "o.mp4", "transparent": True}, "can't hold transparency: end it in .mkv, .mov"),
    ({"composite": "o.gif", "codec": "h264"}, "neither codec nor quality"),
    ({"composite": "frames", "crf": 3}, "neither codec nor quality"),
    ({"composite": "o.mp4", "codec": "divx"}, "no codec 'divx'"),
    ({"composite": "o.mp4", "crf": 80}, "no quality 80"),
    ({"composite": "o.mp4", "crf": 8, "bitrate": 1000}, "both given"),
]


@pytest.mark.parametrize(("asked", "said"), REFUSED)
def test_what_can_not_be_written_is_said_first(
    tmp_path: Path, asked: dict[str, Any], said: str
) -> None:
    source = open_clip(clip(tmp_path / "in.mp4", (0, STEP)))
    (tmp_path / "link.mov").symlink_to("in.mp4")
    (tmp_path / "pngs").mkdir()
    for name in ("beach.mp4", "there.mp4", "plain", "pngs/00001.png"):
        (tmp_path / name).write_text("mine")
    before = {path: path.stat().st_size for path in tmp_path.rglob("*")}
    paths = {
        name: tmp_path / value if name in ("composite", "alpha", "foreground") else value
        for name, value in asked.items()
    }
    with pytest.raises(MatteError, match=said) as raised:
        VideoWriters(VideoFiles(**paths), source, [tmp_path / "beach.mp4"])
    assert isinstance(raised.value, SettingError | OutputError)
    assert raised.value.remedy
    assert {path: path.stat().st_size for path in tmp_path.rglob("*")} == before


def test_a_place_that_takes_nothing_is_said_first(tmp_path: Path) -> None:
    source = open_clip(clip(tmp_path / "in.mp4", (0, STEP)))
    if not Path("/proc/self").is_dir():
        pytest.skip("needs a folder that nobody can write into")
    for name in ("o.mp4", "o.gif", "frames"):
        with pytest.raises(OutputError, match="can't write"):
            VideoWriters(VideoFiles(tmp_path / "o.mp4", Path("/proc") / name), source)
    assert names(tmp_path) == ["in.mp4"]
