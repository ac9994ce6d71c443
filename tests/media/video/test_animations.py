from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageSequence

from matte.errors import MatteError, OutputError
from matte.media.video.animations import AnimationWriter
from matte.media.video.clip import open_clip
from matte.media.video.facts import ClipFacts
from tests.media.clips import STEP, VFR, clip, still


@pytest.fixture
def facts(tmp_path: Path) -> ClipFacts:
    return open_clip(clip(tmp_path / "in.mp4", VFR)).facts


def cut_out(at: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[10:30, 5 + at : 25 + at] = 255
    return np.dstack([still(at), alpha])


def test_animated_webp_keeps_times_and_alpha(tmp_path: Path, facts: ClipFacts) -> None:
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


def test_gifs_keep_the_clock(tmp_path: Path, facts: ClipFacts) -> None:
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
    tmp_path: Path, facts: ClipFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.media.video.animations.MAX_ANIMATION_BYTES", 64 * 48 * 3)

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
