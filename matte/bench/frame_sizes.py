"""The sizes of frames that are timed, and pictures fitted to them."""

import re
from dataclasses import dataclass

import cv2
import numpy as np

from matte.arrays import Image
from matte.errors import SettingError
from matte.imaging.resizing import resize

NAMED_SIZES = {
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "4k": (3840, 2160),
}
MIN_SIDE_PIXELS, MAX_SIDE_PIXELS = 32, 16384  # pixels of a side


@dataclass(frozen=True, slots=True)
class FrameSize:
    """The size of a frame, and the name that a user gave for it."""

    name: str
    width: int
    height: int


def parse_frame_size(word: str) -> FrameSize:
    """Return the size that a word means: 1080p, 4k, 640x480, or 512 for a square."""
    name = word.strip().lower()
    match = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", name, re.ASCII)
    if name in NAMED_SIZES:
        width, height = NAMED_SIZES[name]
    elif match:
        width, height = int(match[1]), int(match[2] or match[1])
    else:
        raise SettingError(f"no size {word!r}", f"give {', '.join(NAMED_SIZES)}, 512 or 640x480")
    if not (min(width, height) >= MIN_SIDE_PIXELS and max(width, height) <= MAX_SIDE_PIXELS):
        raise SettingError(
            f"size {word!r}", f"give sides of {MIN_SIDE_PIXELS} … {MAX_SIDE_PIXELS} pixels"
        )
    return FrameSize(name, width, height)


def fit_to_frame(image: Image, size: FrameSize) -> Image:
    """Return a picture scaled to fit a frame of that size, its borders stretched; 8 bits."""
    eight = (image >> 8).astype(np.uint8) if image.dtype == np.uint16 else image
    height, width = image.shape[:2]
    scale = min(size.width / width, size.height / height)
    w = min(size.width, max(1, round(scale * width)))
    h = min(size.height, max(1, round(scale * height)))
    if scale > 1:
        fitted = np.asarray(cv2.resize(eight, (w, h), interpolation=cv2.INTER_CUBIC), np.uint8)
    else:
        fitted = resize(np.ascontiguousarray(eight, np.uint8), h, w)
    left, top = (size.width - w) // 2, (size.height - h) // 2
    right, bottom = size.width - w - left, size.height - h - top
    return Image(
        np.pad(fitted, ((top, bottom), (left, right), (0, 0)), mode="edge").astype(np.uint8)
    )
