"""A subject before a screen, as networks saw it: with a hand too few, and a blob too many."""

from typing import NamedTuple

import cv2
import numpy as np

from matte.arrays import Alpha, FloatArray, Image
from matte.compositing.screen_key import SCREEN_CHANNELS, ScreenColour

HEIGHT, WIDTH = 180, 320
BODY, JERSEY = (slice(40, 160), slice(120, 200)), (slice(80, 120), slice(135, 185))
HAND, BLOB = (slice(70, 82), slice(200, 235)), (slice(100, 130), slice(205, 240))
STUDIO = (slice(0, HEIGHT), slice(0, 40))  # what is beside the screen


class Scene(NamedTuple):
    image: Image
    seen: Alpha
    truth: FloatArray


def scene(screen: ScreenColour = "green", seed: int = 3) -> Scene:
    channel = SCREEN_CHANNELS[screen]
    random = np.random.default_rng(seed)
    truth = np.zeros((HEIGHT, WIDTH), np.float32)
    truth[BODY] = truth[HAND] = 1
    truth = np.asarray(cv2.GaussianBlur(truth, (0, 0), 1.2), np.float32)
    ground = np.full((HEIGHT, WIDTH, 3), 50.0)
    ground[:, :, channel] = np.linspace(150, 230, WIDTH)  # lit from one side
    ground[STUDIO] = 120
    subject = np.full_like(ground, (180, 140, 120))
    jersey = [40.0, 40.0, 40.0]
    jersey[channel] = 90
    subject[JERSEY] = jersey
    mixed = ground + truth[:, :, None] * (subject - ground)
    noisy = np.clip(mixed + random.normal(0, 2, mixed.shape), 0, 255).astype(np.uint8)
    seen = np.zeros((HEIGHT, WIDTH), np.float32)
    seen[BODY] = seen[BLOB] = 1
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 4), np.float32)
    return Scene(Image(noisy), Alpha(seen), truth)
