"""Trimaps as users, datasets and segmenters make them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, FloatArray, Uint8Array
from matte.training.synthesis.geometry import Random
from matte.training.synthesis.noise import smooth_noise

MIN_SOLID_ALPHA, MAX_EMPTY_ALPHA = 252, 3  # alphas from hands and cameras are rarely exact


def random_trimap(alpha: Uint8Array, random: Random) -> Uint8Array:
    """Draw a trimap (H, W), 0, 128 and 255, for the alpha (H, W).

    Mostly the solid subject and the solid background are worn off by discs of independent widths,
    so that the band does not give the edge away (as Y. Li, H. Lu, "Natural Image Matting via Guided
    Contextual Attention", AAAI 2020: 1 to 29 pixels, here for a picture of 512); sometimes
    much more, sometimes no subject stays known, sometimes blobs are unknown besides.

    About one in five is a segmenter's: a coarse mask's edge, widened evenly. Such a band can miss
    soft pixels: where the trimap says 0 or 255 the alpha may be another, and a loss over the
    unknown region must leave those pixels to the trimap.
    """
    kind = random.random()
    if kind < 0.2:
        return _segmenter_trimap(alpha, random)
    side = min(alpha.shape)
    widest = 14.5 * side / 512 if kind < 0.55 else min(30.0, 0.16 * side)
    inner, outer = random.uniform(0.5, max(1.0, widest), 2)
    if kind > 0.92:
        inner = np.inf
    trimap = np.full(alpha.shape, UNKNOWN, np.uint8)
    if np.isfinite(inner):
        trimap[_distance_inside(alpha >= MIN_SOLID_ALPHA) > inner] = SUBJECT
    trimap[_distance_inside(alpha <= MAX_EMPTY_ALPHA) > outer] = BACKGROUND
    if random.random() < 0.12:
        trimap[_random_blobs(alpha.shape, random)] = UNKNOWN
    return trimap


def _segmenter_trimap(alpha: Uint8Array, random: Random) -> Uint8Array:
    """Draw the band around a mask that was found at low resolution and is a little wrong."""
    height, width = alpha.shape
    part = random.uniform(1 / 8, 1 / 2)
    small = (max(2, round(width * part)), max(2, round(height * part)))
    shrunk = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    coarse = np.asarray(cv2.GaussianBlur(shrunk, (0, 0), random.uniform(0.4, 1.2)), np.float32)
    wrong = smooth_noise(small[1], small[0], random.uniform(2, 6), random)
    coarse += np.float32(random.uniform(0, 90)) * wrong
    mask = np.asarray(cv2.resize(coarse, (width, height))) > 127.5
    kernel, times = random.integers(3, 9), random.integers(1, 7)
    reach = min(kernel * times / 2, 0.13 * min(height, width))
    trimap = np.full(alpha.shape, UNKNOWN, np.uint8)
    trimap[_distance_inside(mask) > reach] = SUBJECT
    trimap[_distance_inside(~mask) > reach] = BACKGROUND
    return trimap


def _distance_inside(region: NDArray[np.bool_]) -> FloatArray:
    """Return each pixel's distance to the nearest one outside of the region; 0 outside of it."""
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(region.view(np.uint8), cv2.DIST_L2, 3), np.float32)


def _random_blobs(shape: tuple[int, ...], random: Random) -> NDArray[np.bool_]:
    """Draw where (H, W) a trimap is unknown besides its band: a few round regions."""
    field = smooth_noise(shape[0], shape[1], random.uniform(15, 60), random)
    blobs: NDArray[np.bool_] = field > random.uniform(0.5, 0.9)
    return blobs
