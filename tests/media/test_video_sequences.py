from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageSequence

from matte.errors import MatteError, MatteWarning, OutputError
from matte.media.video.clip import open_clip
from matte.media.video.facts import Facts
from matte.media.video.sequences import AnimationWriter, SequenceWriter, is_sequence
from tests.media.clips import STEP, VFR, clip, names, still


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return open_clip(clip(tmp_path / "in.mp4", VFR)).facts


def cut_out(at: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[10:30, 5 + at : 25 + at] = 255
    return np.dstack([still(at), alpha])


def test_what_names_a_sequence(tmp_path: Path) -> None:
    assert is_sequence(tmp_path)
    assert is_sequence(Path("frames"))
    assert is_sequence(Path("a/name%05d.png"))
    assert not is_sequence(Path("a.png"))
    assert not is_sequence(Path("a.mov"))


@pytest.mark.parametrize("deep", [False, True])
def test_numbered_pictures(tmp_path: Path, facts: Facts, deep: bool) -> None:
    frames = [cut_out(at).astype(np.uint16) * 257 if deep else cut_out(at) for at in range(3)]
    for name, first in (("frames", "frames/00001.png"), ("a/x%03d_rgba.png", "a/x001_rgba.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with SequenceWriter(tmp_path / name, facts) as writer:
            for at, frame in enumerate(frames):
                writer.write(frame, at * STEP)
        assert (tmp_path / first).is_file()
        assert len(names((tmp_path / first).parent)) == 3
        if not deep:
            with Pillow.open(tmp_path / first) as picture:
                np.testing.assert_array_equal(np.asarray(picture), frames[0])
        with pytest.raises(OutputError, match=r"holds .*001"):
            SequenceWriter(tmp_path / name, facts)
        SequenceWriter(tmp_path / name, facts, overwrite=True)._whole.drop()


def test_pictures_of_an_earlier_run_are_told(tmp_path: Path, facts: Facts) -> None:
    def written(count: int) -> None:
        with SequenceWriter(tmp_path / "frames", facts, overwrite=True) as writer:
            for at in range(count):
                writer.write(cut_out(at), at)

    written(3)
    with pytest.warns(MatteWarning, match=r"still holds 00003\.png"):
        written(2)
    assert len(names(tmp_path / "frames")) == 3


def test_an_unfinished_sequence_is_kept_aside(tmp_path: Path, facts: Facts) -> None:
    def interrupted() -> None:
        with writer:
            writer.write(cut_out(0), 0)
            raise KeyboardInterrupt

    writer = SequenceWriter(tmp_path / "frames", facts)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert writer.partial == tmp_path / "frames.partial"
    assert names(writer.partial) == ["00001.png"]
    assert names(tmp_path) == ["frames.partial", "in.mp4"]


def test_a_pattern_makes_its_folder(tmp_path: Path, facts: Facts) -> None:
    with SequenceWriter(tmp_path / "new" / "x%d.png", facts) as writer:
        writer.write(cut_out(0), 0)
        assert "new" not in names(tmp_path)
    assert names(tmp_path / "new") == ["x1.png"]
    assert names(tmp_path) == ["in.mp4", "new"]
    for name in ("none/below/x%d.png", "none/below"):
        with pytest.raises(OutputError, match="no folder"):
            SequenceWriter(tmp_path / name, facts)


def test_animated_webp_keeps_times_and_alpha(tmp_path: Path, facts: Facts) -> None:
    path = tmp_path / "out.webp"
    with AnimationWriter(path, facts) as writer:
        for at, pts in enumerate(VFR):
            writer.write(cut_out(at), pts, STEP)
    with Pillow.open(path) as animation:
        assert animation.n_frames == len(VFR)  # type: ignore[attr-defined]  # of animations
        shown = 0
        for at, frame in enumerate(ImageSequence.Iterator(animation)):
            frame.load()
            assert abs(shown - VFR[at] / 24) < 2  # 24 ticks for a millisecond
            shown += frame.info["duration"]
            found = np.asarray(frame.convert("RGBA"))
            np.testing.assert_array_equal(found[..., 3], cut_out(at)[..., 3])


def test_gifs_keep_the_clock(tmp_path: Path, facts: Facts) -> None:
    path = tmp_path / "out.gif"
    times = [at * STEP // 2 for at in range(30)]  # 48 for each second
    with AnimationWriter(path, facts) as writer:
        for at, pts in enumerate(times):
            writer.write(cut_out(at), pts, STEP // 2)
    with Pillow.open(path) as animation:
        frames = [frame.copy() for frame in ImageSequence.Iterator(animation)]
    shown = [frame.info["duration"] for frame in frames]
    assert min(shown) >= 20
    assert abs(sum(shown) - (times[-1] + STEP // 2) / 24) <= 20
    alpha = np.asarray(frames[0].convert("RGBA"))[..., 3]
    np.testing.assert_array_equal(alpha, cut_out(0)[..., 3])


def test_animations_are_for_short_clips(
    tmp_path: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.media.video.sequences.MOST_BYTES", 64 * 48 * 3)

    def long() -> None:
        with writer:
            for at in range(9):
                writer.write(cut_out(at), at * STEP, STEP)

    writer = AnimationWriter(tmp_path / "out.gif", facts)
    with pytest.raises(OutputError, match=r"too long for \.gif"):
        long()
    assert writer.partial == tmp_path / "out.partial.gif"
    for name in ("in.mp4", "out.mov", "none/out.gif"):
        with pytest.raises(MatteError):
            AnimationWriter(tmp_path / name, facts, overwrite=True)
