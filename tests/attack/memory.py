"""Networks and shapes under --max-memory: the process takes at most a tenth more."""

import math

import cv2
import numpy as np

from tests.attack.endings import faults
from tests.attack.processes import start
from tests.attack.room import Room

GIB = 1 << 30
EXCESS = 1.1
LINES = (
    ("--preset", "fast"),
    ("--preset", "balanced"),
    ("--preset", "best"),
    ("--trimap-free",),
    ("--trimap-free", "--modnet-protocol", "native"),
    ("--segmenter", "clothing"),
    ("--refiner", "guided"),
    ("--preset", "balanced", "--tile", "512"),
)
LIMITS = ("600MB", "800MB", "1GB", "2GB")
MAX_SIDE, MAX_HEIGHT, MAX_WIDTH = 3000, 50, 50_000
CPU_SECONDS_PER_MEGAPIXEL = 20  # besides 20 at first


def prepare(room: Room) -> None:
    """Nothing: the caches are a part of what is measured."""


def attack(room: Room) -> None:
    numbers = room.random
    height, width = shape(room)
    words = (*numbers.choice(LINES), "--max-memory", numbers.choice(LIMITS))
    if numbers.random() < 0.5:
        words += ("--backend", numbers.choice(("openvino", "onnx")))
    y, x = np.ogrid[:height, :width]
    pixels = (128 + 90 * np.sin(x / 37 + y / 11) * np.cos(y / 53)).astype(np.uint8)
    inside = ((y / height - 0.5) / 0.3) ** 2 + ((x / width - 0.5) / 0.3) ** 2 < 1
    picture = np.dstack([pixels, np.where(inside, 230, pixels // 2), pixels // 3])
    cv2.imwrite(str(room.folder / "p.png"), picture.astype(np.uint8))
    seconds = 22 + int(CPU_SECONDS_PER_MEGAPIXEL * height * width / 1e6)
    command = ("image", "p.png", *words, "-o", "o.png")
    ending = start(room, command).end(seconds, 6 * GIB)
    for fault in faults(ending):
        room.report(f"{height}×{width}: {fault}", command)
    limit = bytes_of(words[words.index("--max-memory") + 1])
    if ending.peak_bytes > EXCESS * limit:
        peak = f"{ending.peak_bytes / 1e6:.0f} MB, exit {ending.code}"
        room.report(f"{height}×{width} took {peak}", words)
    if (ending.code == 0) != (room.folder / "o.png").exists():
        room.report(f"exit {ending.code}, and an output or none", words)


def shape(room: Room) -> tuple[int, int]:
    """Height and width, from 1×1 to 50×50,000, most of them extreme."""
    numbers = room.random
    short = round(math.exp(numbers.uniform(0, math.log(MAX_HEIGHT))))
    long = round(math.exp(numbers.uniform(0, math.log(MAX_WIDTH))))
    if numbers.random() < 0.3:
        short = long = round(math.exp(numbers.uniform(0, math.log(MAX_SIDE))))
        short = max(1, round(short * numbers.uniform(0.4, 1)))
    return (short, long) if numbers.random() < 0.5 else (long, short)


def bytes_of(text: str) -> int:
    """A memory limit as matte's settings read it."""
    return int(text[:-2]) * {"MB": 10**6, "GB": 10**9}[text[-2:]]
