"""Short clips of a textured disc over clouds, with its exact alpha."""

import cv2
import numpy as np

from matte.arrays import Alpha, Image
from tests.textures import Pixels, clouds

HEIGHT, WIDTH = 108, 192
Clip = tuple[list[Image], list[Alpha]]


def disc(x: float, y: float, radius: float) -> Alpha:
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    return Alpha(np.clip(radius - np.hypot(xs - x, ys - y), 0, 1).astype(np.float32))


def compose(subject: Pixels, alpha: Alpha, seed: int) -> Image:
    """The subject over clouds, with a little noise."""
    behind = clouds(HEIGHT, WIDTH, 7) // 2
    mixed = behind + alpha[:, :, None] * (subject.astype(np.float32) - behind)
    noise = np.random.default_rng(seed).normal(0, 2, mixed.shape)
    return Image(np.clip(np.rint(mixed + noise), 0, 255).astype(np.uint8))


def still_clip(count: int = 24) -> Clip:
    subject, alpha = clouds(HEIGHT, WIDTH, 5) // 2 + 127, disc(96, 54, 30)
    return [compose(subject, alpha, n) for n in range(count)], [alpha] * count


def moving_clip(step: float = 3, count: int = 20) -> Clip:
    """A disc that rolls over the clouds, `step` pixels a frame."""
    texture, frames, alphas = clouds(HEIGHT, WIDTH, 5) // 2 + 127, [], []
    for n in range(count):
        shift = np.array([[1, 0, step * n - 20], [0, 1, 0]], np.float32)
        moved = cv2.warpAffine(texture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_WRAP)
        alphas.append(disc(50 + step * n, 54, 30))
        frames.append(compose(np.asarray(moved, np.uint8), alphas[-1], n))
    return frames, alphas


def dark_scene(frame: Image) -> Image:
    """Another scene: other colours and other shapes than the frame's."""
    return Image(255 - frame[::-1] // np.uint8(4))
