"""Small clips in the containers and codecs that matte reads, and what plays of a result."""

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image as Pillow

from tests.attack.drawing import draw

# Ending, codec and pixel format.
KINDS = (
    (".mp4", "libx264", "yuv420p"),
    (".mp4", "mpeg4", "yuv420p"),
    (".mov", "libx264", "yuv444p"),
    (".mov", "prores_ks", "yuv422p10le"),
    (".mkv", "ffv1", "yuv420p"),
    (".mkv", "libx264", "yuv420p"),
    (".webm", "libvpx-vp9", "yuv420p"),
    (".webm", "libvpx", "yuv420p"),
    (".avi", "mjpeg", "yuvj420p"),
    (".ts", "mpeg2video", "yuv420p"),
)


def film(
    path: Path, numbers: random.Random, frames: int = 0, size: tuple[int, int] | None = None
) -> None:
    """Writes a clip; `path` says in which container."""
    frames = frames or numbers.choice((1, 2, 5, 9))
    width, height = size or (2 * numbers.randrange(8, 40), 2 * numbers.randrange(8, 40))
    pictures = [draw(random.Random(n), height, width) for n in range(min(frames, 8))]
    if path.suffix == ".gif":
        first, *rest = (Pillow.fromarray(pixels) for pixels in pictures)
        first.save(path, save_all=True, append_images=rest, duration=40)
        return
    _, codec, pixel_format = numbers.choice([kind for kind in KINDS if kind[0] == path.suffix])
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=Fraction(25))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        if numbers.random() < 0.2:
            stream.set_display_rotation(numbers.choice((90, 180, 270, 45)))
        at = -1
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(pictures[number % len(pictures)], format="rgb24")
            at += numbers.choice((1,) * 9 + (3,))
            frame.pts = at
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def playable_frames(path: Path) -> int:
    """How many frames of a result a player shows; −1 if it can't be opened."""
    if path.is_dir():
        return sum(is_whole(picture) for picture in path.iterdir())
    if path.suffix in (".gif", ".webp"):
        return animation_frames(path)
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    except (av.error.FFmpegError, IndexError, OSError):
        return -1


def animation_frames(path: Path) -> int:
    """How many frames of an animation are whole; −1 if it can't be opened."""
    count = -1
    try:
        with Pillow.open(path) as animation:
            count = 0
            for number in range(getattr(animation, "n_frames", 1)):
                animation.seek(number)
                animation.load()
                count += 1
    except (OSError, ValueError, SyntaxError):
        return count
    return count


def is_whole(path: Path) -> bool:
    """Whether a picture, an array, a clip or a JSON file is there and whole."""
    try:
        if path.suffix == ".npy":
            return bool(np.load(path).size)
        if path.suffix == ".json":
            return path.read_bytes().endswith(b"}\n")
        if path.suffix in (".png", ".jpg", ".tif", ".bmp", ".avif"):
            with Pillow.open(path) as picture:
                picture.load()
            return True
        return playable_frames(path) > 0
    except (OSError, ValueError, SyntaxError):
        return False
