"""Smooth random fields."""

import cv2
import numpy as np

from matte.arrays import FloatArray
from matte.training.synthesis.geometry import Random


def smooth_noise(
    height: int, width: int, grain: float, random: Random, long: float = 1.0
) -> FloatArray:
    """Draw smooth noise (height, width), about −1 … 1, stretched in a random direction.

    Its hills are `grain` pixels wide and `long` times as long.
    """
    side = float(np.hypot(height, width))
    rows, columns = int(side / (grain * long)) + 3, int(side / grain) + 3
    hills = random.uniform(-1, 1, (rows, columns)).astype(np.float32)
    # Cubic where it is small, linear where it is turned: five times as fast as cubic at once.
    finer = int(np.clip(grain / 2, 1, 4))
    if finer > 1:
        more = (columns * finer, rows * finer)
        hills = np.asarray(cv2.resize(hills, more, interpolation=cv2.INTER_CUBIC), np.float32)
    angle = random.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    step = np.array([[c, s], [-s / long, c / long]]) * finer / grain
    start = (np.array(hills.shape[::-1]) - 1) / 2 - step @ np.array([width - 1, height - 1]) / 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    move = np.column_stack([step, start])
    field = cv2.warpAffine(hills, move, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(field, np.float32)


def layered_noise(
    height: int, width: int, grain: float, octaves: int, random: Random
) -> FloatArray:
    """Draw noise (height, width), about −1 … 1: hills with ever smaller, lower hills on them."""
    total = smooth_noise(height, width, grain, random)
    for octave in range(1, octaves):
        finer = max(1.5, grain / 2**octave)
        total += np.float32(0.55**octave) * smooth_noise(height, width, finer, random)
    return total
