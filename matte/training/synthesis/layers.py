"""Subjects with their own colours, ready to be put on any background."""

from dataclasses import dataclass

import cv2
import numpy as np

from matte.arrays import Alpha, Image, Uint8Array
from matte.compositing.foreground import estimate_foreground
from matte.datasets.colours import spread_subject_colours
from matte.training.synthesis.geometry import Random, Window, sample_window
from matte.training.synthesis.noise import smooth_noise

# Hair and fur as cameras see them, RGB, from black over brown, red and blond to grey and white.
HAIR_COLOURS = np.array(
    [
        *((22, 18, 17), (38, 29, 25), (60, 43, 33), (88, 62, 44), (120, 88, 60), (70, 66, 66)),
        *((150, 84, 48), (168, 130, 88), (205, 172, 128), (140, 136, 132), (222, 216, 208)),
    ],
    np.float32,
)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A subject: `colours` (H, W, 3) uint8 RGB, plausible also where `alpha` (H, W) uint8 is 0."""

    colours: Uint8Array
    alpha: Uint8Array


def layer_in_window(layer: Layer, view: Window) -> Layer:
    """Return the window's part of a layer, transparent beyond its frame."""
    return Layer(sample_window(layer.colours, view), sample_window(layer.alpha, view, outside=0))


def estimated_layer(picture: Uint8Array, alpha: Uint8Array) -> Layer:
    """Return a real picture's subject as a layer, its colours estimated. Slow: once a picture."""
    opacity = alpha.astype(np.float32) / np.float32(255)
    colours = np.asarray(estimate_foreground(Image(picture), Alpha(opacity)), np.uint8)
    # The fainter the subject, the more of the old background is left in the estimate, and where
    # there is no subject it is black: neither must be mixed into a new picture.
    return Layer(spread_subject_colours(colours, alpha), alpha)


def mask_layer(picture: Uint8Array, mask: Uint8Array, random: Random) -> Layer:
    """Return a masked subject as a layer, with an edge of random softness inside the mask.

    255 is the subject. The edge is a little inside, where colours are surely the subject's.
    """
    height, width = mask.shape
    softness = float(np.exp(random.uniform(np.log(0.6), np.log(4))))
    depth = cv2.distanceTransform((mask > 200).view(np.uint8), cv2.DIST_L2, 3)
    depth = depth + smooth_noise(height, width, random.uniform(3, 12), random)
    core = (depth > 1.5 + 1.2 * softness).astype(np.float32)
    alpha = np.rint(255 * cv2.GaussianBlur(core, (0, 0), softness)).astype(np.uint8)
    # Colours below the soft edge are those of the subject a few pixels further in.
    side = 2 * round(2.5 * softness + 2) + 1
    sure = (depth > 1 + softness).astype(np.float32)
    weight = cv2.blur(sure, (side, side))[:, :, None]
    near = cv2.blur(picture * sure[:, :, None], (side, side)) / np.maximum(weight, 1e-3)
    colours = np.where((sure == 0)[:, :, None], np.minimum(near, 255).astype(np.uint8), picture)
    return Layer(colours, alpha)


def relight(layer: Layer, random: Random) -> Layer:
    """Return the layer in another light: brighter or darker, flatter, warmer."""
    gamma, contrast, bright = np.exp(random.uniform(-0.25, 0.25, 3))
    tint = random.uniform(0.93, 1.07, 3)
    values = (np.linspace(0, 1, 256) ** gamma - 0.5) * contrast + 0.5 * bright
    table = np.clip(255 * values[:, None] * tint, 0, 255).astype(np.uint8)
    return Layer(np.asarray(cv2.LUT(layer.colours, table[None]), np.uint8), layer.alpha)


def hair_colours(height: int, width: int, random: Random) -> Uint8Array:
    """Draw one hair colour (height, width, 3) with streaks of light and shade along its growth."""
    base = HAIR_COLOURS[random.integers(len(HAIR_COLOURS))] * random.uniform(0.75, 1.25)
    streaks = smooth_noise(
        height, width, random.uniform(1.5, 5), random, long=random.uniform(6, 25)
    )
    light = smooth_noise(height, width, max(height, width) / 3, random)
    shade = 1 + random.uniform(0.1, 0.35) * streaks + random.uniform(0.1, 0.4) * light
    # Light on hair is whiter than the hair.
    gloss = np.maximum(shade - 1.15, 0) * random.uniform(0, 90)
    colours = shade[:, :, None] * base + gloss[:, :, None]
    return np.asarray(np.clip(colours, 0, 255), np.uint8)
