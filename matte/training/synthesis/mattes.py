"""Alphas drawn from scratch, with the soft edges that real ones have."""

from collections.abc import Callable

import cv2
import numpy as np

from matte.arrays import FloatArray, Uint8Array
from matte.training.synthesis.geometry import Random
from matte.training.synthesis.noise import layered_noise, smooth_noise
from matte.training.synthesis.strands import draw_fringe, draw_fur, draw_twigs

Drawing = Callable[[int, int, Random], Uint8Array]


def draw_alpha(height: int, width: int, random: Random) -> Uint8Array:
    """Draw an alpha (height, width), 0 … 255, of a random kind."""
    draw, _ = KINDS[draw_kind(random)]
    return draw(height, width, random)


def draw_kind(random: Random) -> str:
    """Draw the name of one of the KINDS, as often as stated there."""
    weights = np.array([weight for _, weight in KINDS.values()])
    return list(KINDS)[int(random.choice(len(weights), p=weights / weights.sum()))]


def draw_soft_shape(height: int, width: int, random: Random) -> Uint8Array:
    """Draw a blob whose edge is sharp in some places and out of focus in others."""
    field = _blob_depth(height, width, random)
    low, high = np.sort(np.exp(random.uniform(np.log(0.7), np.log(14), 2)))
    spots = smooth_noise(height, width, min(height, width) / 3, random) / 2 + 0.5
    softness = low * (high / low) ** np.clip(spots, 0, 1)
    return _to_bytes(_smooth_step(field / softness))


def draw_holes(height: int, width: int, random: Random) -> Uint8Array:
    """Draw sharp shapes with holes and gaps."""
    ss = 2
    canvas = np.zeros((height * ss, width * ss), np.uint8)
    size = min(height, width) * ss
    for index in range(int(random.integers(3, 9))):
        value = 255 if index == 0 or random.random() < 0.4 else 0
        radius = size * (random.uniform(0.3, 0.6) if index == 0 else random.uniform(0.02, 0.2))
        corners = int(random.integers(3, 14))
        angles = np.sort(random.uniform(0, 2 * np.pi, corners))
        reach = radius * random.uniform(0.6, 1, corners)
        centre = random.uniform(0.15, 0.85, 2) * (width * ss, height * ss)
        points = centre + np.column_stack([np.cos(angles), np.sin(angles)]) * reach[:, None]
        if random.random() < 0.5:
            axes = (max(1, int(radius)), max(1, int(radius * random.uniform(0.3, 1))))
            middle = (int(centre[0]), int(centre[1]))
            cv2.ellipse(canvas, middle, axes, random.uniform(0, 180), 0, 360, value, -1)
        else:
            cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], value)
    shape = np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if random.random() < 0.5:
        shape = np.asarray(cv2.GaussianBlur(shape, (0, 0), random.uniform(0.4, 2)), np.uint8)
    return shape


def draw_net(height: int, width: int, random: Random) -> Uint8Array:
    """Draw a net, a mesh, a fence or lace: two families of waved threads."""
    ss = 2
    size = np.array([width, height]) * ss
    pitch = float(np.exp(random.uniform(np.log(5), np.log(30)))) * ss
    thick = max(1, round(pitch * random.uniform(0.06, 0.3)))
    reach = float(np.hypot(*size))
    along = np.linspace(-0.6, 0.6, 24) * reach
    across = np.arange(-0.6 * reach, 0.6 * reach, pitch)
    canvas = np.zeros((height * ss, width * ss), np.uint8)
    angle, waves = random.uniform(0, np.pi), random.uniform(0, 0.06) * reach
    slant = random.uniform(0.9, 2.2)
    phases = random.uniform(0, 2 * np.pi, 4)
    value = int(random.integers(150, 256))
    for turn in (angle, angle + slant):
        x, y = np.meshgrid(along, across)
        direction = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        points = np.stack([x, y], axis=2) @ direction.T
        bend = np.sin(points[:, :, ::-1] / reach * random.uniform(4, 12) + phases[:2])
        points = points + waves * bend + size / 2
        lines = list(np.rint(points * 8).astype(np.int32))
        cv2.polylines(canvas, lines, False, value, thick, cv2.LINE_AA, 3)
    mesh = np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if random.random() < 0.5:
        mesh = np.asarray(cv2.GaussianBlur(mesh, (0, 0), random.uniform(0.4, 1.2)), np.uint8)
    where = np.maximum(draw_soft_shape(height, width, random), 0)
    if random.random() < 0.3:  # a rim holds it
        rim = cv2.morphologyEx(where, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
        mesh = np.maximum(mesh, rim)
    return _multiply_alphas(mesh, where)


def draw_smoke(height: int, width: int, random: Random) -> Uint8Array:
    """Draw smoke, steam or clouds: nowhere solid, or only in the middle."""
    side = min(height, width)
    grain = side * random.uniform(0.2, 0.6)
    density = layered_noise(height, width, grain, int(random.integers(3, 6)), random)
    hill = _blob_depth(height, width, random) / (0.35 * side)
    thick = np.clip(random.uniform(0.1, 0.5) + 0.7 * density + hill, 0, None)
    alpha = 1 - np.exp(-random.uniform(0.6, 2.5) * thick * thick)
    return _to_bytes(alpha)


def draw_cloth(height: int, width: int, random: Random) -> Uint8Array:
    """Draw a veil: translucent, with folds and a hem, sometimes over something solid."""
    side = min(height, width)
    folds = smooth_noise(height, width, random.uniform(0.04, 0.2) * side, random, long=8)
    level = random.uniform(0.2, 0.7)
    alpha = np.clip(level + random.uniform(0.05, 0.35) * folds, 0.03, 1)
    edge = _blob_depth(height, width, random)
    hem = np.exp(-(((edge - 2.5) / random.uniform(1, 2.5)) ** 2)) * random.uniform(0, 0.6)
    alpha = np.clip(alpha + hem, 0, 1) * _smooth_step(edge / random.uniform(0.7, 2))
    veil = _to_bytes(alpha)
    return (
        _unite_alphas(veil, draw_soft_shape(height, width, random))
        if random.random() < 0.5
        else veil
    )


def draw_motion_blur(height: int, width: int, random: Random) -> Uint8Array:
    """Draw something that moved while the shutter was open: blurred along one direction."""
    draw = (draw_soft_shape, draw_holes, draw_fringe, draw_twigs)[int(random.integers(4))]
    still = draw(height, width, random)
    length = float(np.exp(random.uniform(np.log(3), np.log(0.15 * min(height, width) + 4))))
    angle = random.uniform(0, np.pi)
    side = 2 * int(length / 2 + 1) + 1
    kernel = np.zeros((side, side), np.uint8)
    end = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    middle = (side - 1) / 2
    a, b = (np.rint((middle + s * end) * 16).astype(int) for s in (-1, 1))
    cv2.line(kernel, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 255, 1, cv2.LINE_AA, 4)
    weights = kernel.astype(np.float32) / kernel.sum()
    return np.asarray(cv2.filter2D(still, -1, weights, borderType=cv2.BORDER_REPLICATE), np.uint8)


def draw_pair(height: int, width: int, random: Random) -> Uint8Array:
    """Draw two alphas of different kinds as one."""
    pick = (draw_fringe, draw_fur, draw_twigs, draw_cloth, draw_holes, draw_smoke)
    first, second = random.choice(len(pick), 2, replace=False)
    return _unite_alphas(pick[first](height, width, random), pick[second](height, width, random))


# Each kind and how often it is drawn, against the others.
KINDS: dict[str, tuple[Drawing, float]] = {
    "fringe": (draw_fringe, 0.34),
    "fur": (draw_fur, 0.16),
    "twigs": (draw_twigs, 0.08),
    "net": (draw_net, 0.07),
    "soft shape": (draw_soft_shape, 0.09),
    "holes": (draw_holes, 0.06),
    "smoke": (draw_smoke, 0.05),
    "cloth": (draw_cloth, 0.05),
    "moving": (draw_motion_blur, 0.06),
    "together": (draw_pair, 0.04),
}


def _blob_depth(height: int, width: int, random: Random) -> FloatArray:
    """Return roughly the distance in pixels from a random blob's edge, above 0 inside."""
    side = min(height, width)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre = random.uniform(0.1, 0.9, 2) * (width, height)
    radius = side * random.uniform(0.25, 0.6)
    angle, long = random.uniform(0, np.pi), random.uniform(0.6, 1.6)
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    distance = np.sqrt(((c * dx + s * dy) / np.float32(long)) ** 2 + (c * dy - s * dx) ** 2)
    bumps = layered_noise(height, width, side * random.uniform(0.15, 0.4), 2, random)
    hill = np.float32(radius) - distance + np.float32(0.15 * side * random.random()) * bumps
    return np.asarray(hill, np.float32)


def _smooth_step(values: FloatArray) -> FloatArray:
    """Return 0 below −1, 1 above 1, a smooth step between."""
    t = np.clip(values / 2 + np.float32(0.5), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _to_bytes(alpha: FloatArray) -> Uint8Array:
    """Convert an alpha 0 … 1 to uint8, 0 … 255."""
    return np.rint(alpha * 255).astype(np.uint8)


def _multiply_alphas(a: Uint8Array, b: Uint8Array) -> Uint8Array:
    """Return the product of two alphas (H, W) uint8: solid where both are."""
    return np.asarray(cv2.multiply(a, b, scale=1 / 255), np.uint8)


def _unite_alphas(a: Uint8Array, b: Uint8Array) -> Uint8Array:
    """Return the alpha (H, W) uint8 of two layers, one over the other."""
    return 255 - _multiply_alphas(255 - a, 255 - b)
