"""Alphas of hair, fur and twigs: many tapered, curved strokes.

Drawn at twice the size and averaged, so that a stroke may be thinner than a pixel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Uint8Array
from matte.training.synthesis.geometry import Random
from matte.training.synthesis.noise import layered_noise, smooth_noise

Doubles = NDArray[np.float64]
OVERSAMPLING = 2  # how many times larger than the alpha strokes are drawn
STRAND_POINTS = 15  # on each strand
OPACITY_LEVELS = 8  # of opacity
OUTLINE_SHRINKING = 4  # how many times smaller than the alpha a body's outline is computed
FRACTION_BITS = 4  # bits of the fraction of a coordinate


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """N strokes: starts, directions, lengths, widths, turns and opacities.

    Start points are (N, 2) as x, y, directions and the turns over the whole length in radians,
    lengths and widths in pixels, opacities 0 … 1.
    """

    roots: Doubles
    angles: Doubles
    lengths: Doubles
    widths: Doubles
    turns: Doubles
    opacity: Doubles

    def points(self, random: Random) -> Doubles:
        """Return points (N, STRAND_POINTS, 2) along the strokes, bent, with small waves."""
        count = len(self.roots)
        t = np.linspace(0, 1, STRAND_POINTS)
        waves = random.uniform(0, 0.5, (count, 1)) * np.sin(
            random.uniform(2, 9, (count, 1)) * t + random.uniform(0, 2 * np.pi, (count, 1))
        )
        angle = self.angles[:, None] + self.turns[:, None] * t**1.3 + waves
        step = self.lengths[:, None] / (STRAND_POINTS - 1)
        path = np.cumsum(np.stack([np.cos(angle), np.sin(angle)], 2) * step[:, :, None], axis=1)
        return self.roots[:, None] + path - path[:, :1]


def draw_strands(strands: Strands, height: int, width: int, random: Random) -> Uint8Array:
    """Draw the strokes as an alpha (height, width), thinning out towards their ends."""
    points = np.rint((strands.points(random) + 0.5) * OVERSAMPLING * 2**FRACTION_BITS).astype(
        np.int32
    )
    canvas = np.zeros((height * OVERSAMPLING, width * OVERSAMPLING), np.uint8)
    # What is faint is drawn first: later strokes replace, and so the strongest stays.
    third = STRAND_POINTS // 3
    parts = ((2 * third - 1, STRAND_POINTS, 0.4), (third - 1, 2 * third, 0.75), (0, third, 1.0))
    for first, last, taper in parts:
        wanted = strands.widths * taper * OVERSAMPLING
        widths = np.maximum(np.rint(wanted), 1).astype(int)
        # A stroke thinner than the finest line is a fainter one.
        strength = strands.opacity * np.minimum(1, wanted) * (0.5 + 0.5 * taper)
        level = np.ceil(strength * OPACITY_LEVELS).astype(int)
        for value, wide in sorted(set(zip(level.tolist(), widths.tolist(), strict=True))):
            lines = list(points[(level == value) & (widths == wide), first:last])
            grey = round(255 * min(1, value / OPACITY_LEVELS))
            cv2.polylines(canvas, lines, False, grey, wide, cv2.LINE_AA, FRACTION_BITS)
    return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def draw_fringe(height: int, width: int, random: Random) -> Uint8Array:
    """Draw hair along the edge of a head or a body: locks, loose hairs, solid behind."""
    return _draw_grown_hair(height, width, random, long=True)


def draw_fur(height: int, width: int, random: Random) -> Uint8Array:
    """Draw short, dense hair standing off an animal's or a toy's outline."""
    return _draw_grown_hair(height, width, random, long=False)


def draw_twigs(height: int, width: int, random: Random) -> Uint8Array:
    """Draw the alpha, uint8 (H, W), of branches, grass, wires: long strokes that fork and taper."""
    side = min(height, width)
    count = int(random.integers(2, 10))
    start = random.uniform(-0.05, 1.05, (count, 2)) * (width, height)
    middle = random.uniform(0.25, 0.75, (count, 2)) * (width, height)
    towards = middle - start
    thickest = float(np.exp(random.uniform(np.log(0.8), np.log(9))))
    stems = Strands(
        start,
        np.arctan2(towards[:, 1], towards[:, 0]),
        side * random.uniform(0.6, 1.4, count),
        thickest * random.uniform(0.4, 1, count),
        random.normal(0, 0.5, count),
        np.ones(count),
    )
    alpha = draw_strands(stems, height, width, random)
    if random.random() < 0.7:
        alpha = np.maximum(
            alpha, draw_strands(_side_twigs(stems, thickest, random), height, width, random)
        )
    return _blur_as_lens(alpha, random)


def _side_twigs(stems: Strands, thickest: float, random: Random) -> Strands:
    """Return thinner strokes that leave the stems on both sides."""
    each = int(random.integers(4, 14))
    course = stems.points(random)
    at = random.integers(1, STRAND_POINTS - 1, (len(course), each))
    roots = np.take_along_axis(course, at[:, :, None], axis=1)
    ahead = np.take_along_axis(course, at[:, :, None] + 1, axis=1) - roots
    count = roots.shape[0] * each
    direction = np.arctan2(ahead[:, :, 1], ahead[:, :, 0]).ravel()
    side = random.choice([-1.0, 1.0], count) * random.uniform(0.3, 1.2, count)
    return Strands(
        roots.reshape(-1, 2),
        direction + side,
        random.uniform(0.1, 0.4, count) * stems.lengths.mean(),
        thickest * random.uniform(0.15, 0.5, count),
        random.normal(0, 0.6, count),
        np.ones(count),
    )


def _draw_grown_hair(height: int, width: int, random: Random, long: bool) -> Uint8Array:
    """Draw strokes that grow out of a solid body, whose own edge they hide."""
    side = min(height, width)
    reach = side * (random.uniform(0.1, 0.5) if long else random.uniform(0.03, 0.14))
    outline, normals, body, softness = _draw_body(
        height, width, (0.35 if long else 0.8) * reach, random
    )
    if len(outline) == 0:
        return body
    density = random.uniform(0.2, 1.2) if long else random.uniform(1.2, 4)
    count = int(np.clip(density * len(outline), 20, 800))
    locks = max(2, int(len(outline) / (side * random.uniform(0.03, 0.15))))
    lock = random.integers(0, locks, count)
    spread = 0.4 * len(outline) / locks
    aside = random.normal(0, spread, count)
    loose = random.random(count) < random.uniform(0.1, 0.5)
    at = (random.integers(0, len(outline), locks)[lock] + aside).astype(int)
    at = np.where(loose, random.integers(0, len(outline), count), at) % len(outline)
    # Hair is combed to a common direction, more or less.
    comb, combed = random.uniform(0, 0.9), random.uniform(-np.pi, np.pi)
    out = normals[at]
    towards = (1 - comb) * out + comb * np.array([np.cos(combed), np.sin(combed)])
    lengths = np.minimum(reach * random.lognormal(-0.1, 0.4, count) + softness, 0.9 * side)
    lean, turn = random.normal(0, 0.3, locks), random.normal(0, random.uniform(0.1, 1.4), locks)
    wild = np.where(loose, random.uniform(0.15, 0.5), random.uniform(0.03, 0.15))
    # The hairs of a lock meet at its tip.
    meet = random.uniform(0, 0.9) * np.where(loose, 0, np.clip(aside / lengths, -0.6, 0.6))
    angles = np.arctan2(towards[:, 1], towards[:, 0]) + lean[lock] + meet
    fine = float(np.exp(random.uniform(np.log(0.3), np.log(1.4))))
    curls = random.uniform(1.5, 6) if long and random.random() < 0.2 else 0.2
    strands = Strands(
        outline[at] - out * softness * random.uniform(0.5, 2, (count, 1)),
        angles + wild * random.normal(0, 1, count),
        lengths,
        fine * random.uniform(0.6, 1.4, count),
        turn[lock] + (wild + curls) * random.normal(0, 1, count),
        np.where(loose, random.uniform(0.15, 0.8), 1) * random.uniform(0.5, 1, count),
    )
    # Several heaps: where hair crosses hair, less light comes through.
    heap = random.integers(0, 3, count)
    alpha = body
    for number in range(3):
        hair = draw_strands(_select_strands(strands, heap == number), height, width, random)
        alpha = 255 - np.asarray(cv2.multiply(255 - alpha, 255 - hair, scale=1 / 255), np.uint8)
    return _blur_as_lens(alpha, random)


def _draw_body(
    height: int, width: int, softest: float, random: Random
) -> tuple[Doubles, Doubles, Uint8Array, float]:
    """Draw a solid body that reaches into the picture.

    Returns its outline's points (N, 2), the directions out of it (N, 2), its alpha, and over how
    many pixels that fades inside of the outline, at most `softest`.
    """
    side = min(height, width) / OUTLINE_SHRINKING
    rows, columns = max(8, height // OUTLINE_SHRINKING), max(8, width // OUTLINE_SHRINKING)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    away = (x - columns / 2) * c + (y - rows / 2) * s
    along = (x - columns / 2) * s - (y - rows / 2) * c
    bumps = layered_noise(rows, columns, side * random.uniform(0.15, 0.5), 2, random)
    inwards = (
        np.float32(side * random.uniform(-0.25, 0.2))
        - away
        - np.float32(random.uniform(0.1, 1.5) / side) * along * along
        + np.float32(side * random.uniform(0.02, 0.12)) * bumps
    )
    field = OUTLINE_SHRINKING * np.asarray(cv2.resize(inwards, (width, height)), np.float32)
    contours, _ = cv2.findContours(
        (field > 0).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    points = np.concatenate([np.zeros((0, 2)), *(np.reshape(c, (-1, 2)) for c in contours)])
    points = points[np.all((points > 0) & (points < (width - 1, height - 1)), axis=1)]
    at = points.astype(int)
    slopes = [cv2.Sobel(field, cv2.CV_32F, *way, ksize=5) for way in ((1, 0), (0, 1))]
    normals = -np.column_stack([slope[at[:, 1], at[:, 0]] for slope in slopes]).astype(np.float64)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    softness = max(1.0, softest * random.uniform(0.1, 1))
    uneven = smooth_noise(height, width, random.uniform(3, 9), random)
    fade = (field / np.float32(softness) - np.float32(0.3)) + np.float32(0.25) * uneven
    fade = np.clip(fade, 0, 1)
    return points, normals, np.rint(fade * 255).astype(np.uint8), softness


def _select_strands(strands: Strands, chosen: NDArray[np.bool_]) -> Strands:
    """Return the chosen ones of N strokes; `chosen` is (N,)."""
    return Strands(
        strands.roots[chosen],
        strands.angles[chosen],
        strands.lengths[chosen],
        strands.widths[chosen],
        strands.turns[chosen],
        strands.opacity[chosen],
    )


def _blur_as_lens(alpha: Uint8Array, random: Random) -> Uint8Array:
    """Blur an alpha as lens and sensor do: a little soft, sometimes out of focus."""
    blur = random.uniform(1.2, 3) if random.random() < 0.12 else random.uniform(0.25, 0.7)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), blur), np.uint8)
