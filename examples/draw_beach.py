"""Draws a beach at dusk, so that the demo needs no photo of one: `python draw_beach.py OUT.jpg`."""

import sys

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 900, 1200
HORIZON, SHORE = 480, 660
SUN = (880, 400)


def rgb(values: tuple[float, float, float]) -> NDArray[np.float32]:
    """A colour to reckon with."""
    return np.array(values, np.float32)


def gradient(
    rows: int, top: tuple[int, int, int], bottom: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Rows that fade from one RGB colour to another."""
    t = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    return (1 - t) * rgb(top) + t * rgb(bottom) * np.ones((1, WIDTH, 1), np.float32)


def noise(
    random: np.random.Generator, rows: int, height: float, width: float
) -> NDArray[np.float32]:
    """Smooth noise around 0 whose blobs are about height × width pixels."""
    coarse = random.standard_normal((max(2, round(rows / height)), max(2, round(WIDTH / width))))
    blobs = cv2.resize(coarse.astype(np.float32), (WIDTH, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(blobs, np.float32)


def draw() -> NDArray[np.uint8]:
    """The beach as RGB."""
    random = np.random.default_rng(7)
    sky = gradient(HORIZON, (72, 108, 168), (255, 190, 130))
    y, x = np.mgrid[:HORIZON, :WIDTH].astype(np.float32)
    distance = np.hypot(x - SUN[0], y - SUN[1])
    sky += 120 * np.exp(-distance / 130)[:, :, None] * rgb((1, 0.85, 0.5))
    sky[distance < 46] = (255, 244, 214)
    clouds = sum(noise(random, HORIZON, 28 / s, 160 / s) / s for s in (1, 2, 4))
    cover = np.clip(clouds * 0.5 - 0.15, 0, 0.55).astype(np.float32)[:, :, None]
    sky = (1 - cover) * sky + cover * rgb((255, 214, 190))

    sea = gradient(SHORE - HORIZON, (196, 150, 130), (36, 98, 118))
    depth = np.linspace(0.15, 1, SHORE - HORIZON, dtype=np.float32)[:, None]
    waves = noise(random, SHORE - HORIZON, 4, 70) * depth
    path = np.exp(-(((x[: SHORE - HORIZON] - SUN[0]) / (40 + 160 * depth)) ** 2))
    sea += (16 * waves + 90 * path * np.clip(0.6 + waves, 0, 1.5))[:, :, None] * rgb((1, 0.85, 0.6))

    sand = gradient(HEIGHT - SHORE, (150, 120, 96), (222, 190, 150))
    grain = 7 * noise(random, HEIGHT - SHORE, 2, 2) + 9 * noise(random, HEIGHT - SHORE, 24, 120)
    edge = 12 + 8 * noise(random, HEIGHT - SHORE, 400, 130)
    rows = np.arange(HEIGHT - SHORE, dtype=np.float32)[:, None]
    foam = 80 * np.clip(1 - np.abs(rows - edge) / 7, 0, 1)
    sand += (grain + foam)[:, :, None]

    picture = np.concatenate([sky, sea, sand])
    sharp = np.clip(picture, 0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.6), np.uint8)


if __name__ == "__main__":
    if not cv2.imwrite(sys.argv[1], draw()[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92]):
        raise SystemExit(f"can't write {sys.argv[1]}")
