"""Clips on a disk that becomes full: what is promised of them is there."""

import errno
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from matte.errors import OutputError
from matte.media.video import reserve
from matte.media.video.clip import Clip, Frame, open_clip
from matte.media.video.reserve import DiskReserve
from matte.media.video.writer import ClipWriter
from tests.media.clips import clip, names

FRAMES = 60


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    times = tuple(range(0, FRAMES * 1001, 1001))
    return open_clip(clip(tmp_path_factory.mktemp("clip") / "in.mp4", times, sound="stereo"))


def fill_disk(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Lets each file have so many bytes."""

    def allocate(file: int, length: int) -> bool:
        if length > size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return True

    monkeypatch.setattr(reserve, "allocate", allocate)


def decoded_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(container.streams.video[0]))


def write_noise(writer: ClipWriter, source: Clip) -> None:
    rng = np.random.default_rng(0)
    with writer:
        for frame in source.frames():
            writer.write(rng.integers(0, 256, (48, 64, 3), np.uint8), frame.pts, frame.duration)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("o.mp4", "h264"),
        ("o.mov", "prores"),
        ("o.mkv", "ffv1"),
        ("o.webm", "vp9"),
        ("o.mp4", "h265"),
        ("o.mp4", "av1"),
    ],
)
def test_what_a_full_disk_took_is_kept_and_counted(
    tmp_path: Path, noisy: Clip, monkeypatch: pytest.MonkeyPatch, name: str, codec: str
) -> None:
    fill_disk(monkeypatch, 110_000)
    writer = ClipWriter(tmp_path / name, noisy.facts, codec=codec)
    with pytest.raises(OutputError, match="No space left on device"):
        write_noise(writer, noisy)
    assert writer.partial is not None
    assert 0 < writer.partial_frames <= FRAMES
    assert decoded_frames(writer.partial) == writer.partial_frames
    assert names(tmp_path) == [writer.partial.name]
    assert writer.partial.stat().st_size <= 110_000


@pytest.mark.skipif(sys.platform != "linux", reason="room is kept on Linux")
def test_a_file_that_may_grow_no_more_is_kept(tmp_path: Path, noisy: Clip) -> None:
    """The limit on a file's size is the nearest to a full disk that every machine has."""
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from matte.errors import OutputError
from matte.media.video.clip import open_clip
from matte.media.video.writer import ClipWriter
clip = open_clip(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (110_000, 110_000))
rng = np.random.default_rng(0)
for name in ("o.mp4", "o.mkv"):
    writer = ClipWriter(Path(sys.argv[2]) / name, clip.facts)
    try:
        with writer:
            writer.copy_from(clip)
            for frame in clip.frames():
                writer.write(rng.integers(0, 256, (48, 64, 3), np.uint8), frame.pts)
    except OutputError as error:
        assert "File too large" in str(error)
        print(writer.partial_frames)
"""
    words = [sys.executable, "-c", code, str(noisy.path), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    counts = [int(line) for line in done.stdout.splitlines()]
    assert len(counts) == 2
    assert min(counts) > 0
    for name, count in zip(("o.partial.mp4", "o.partial.mkv"), counts, strict=True):
        assert decoded_frames(tmp_path / name) == count
    assert done.stderr == ""


def test_a_whole_file_keeps_no_room(tmp_path: Path, noisy: Clip) -> None:
    path = tmp_path / "o.mp4"
    with ClipWriter(path, noisy.facts) as writer:
        for frame in noisy.frames():
            assert isinstance(frame, Frame)
            writer.write(frame.pixels, frame.pts, frame.duration)
    assert path.stat().st_blocks * 512 < path.stat().st_size + 2 * 4096


def test_after_a_packet_that_has_no_room_none_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()
    fill_disk(monkeypatch, 100_000)
    room = DiskReserve(tmp_path / "a")
    room.add_packet(1000)
    for size in (1_000_000, 1):
        with pytest.raises(OSError, match="No space left"):
            room.add_packet(size)
    room.close()
    room.close()


def test_without_a_way_to_keep_room_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()
    monkeypatch.setattr(reserve, "allocate", lambda file, length: False)
    room = DiskReserve(tmp_path / "a")
    room.add_packet(1 << 60)  # raises nothing
    room.close()
    assert (tmp_path / "a").stat().st_size == 0
