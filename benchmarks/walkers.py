"""Clips of people who walk across each other on moving grounds, with their exact alphas.

Seeds of one parity share neither people nor grounds with those of the other: even ones are there to
tune on, odd ones to judge by. Each clip is of one of KINDS, in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image
from matte.compositing.fitting import cover
from matte.datasets.colours import spread_subject_colours

WIDTH, HEIGHT, FPS, FRAMES = 480, 270, 25, 100
KINDS = ("cross", "crowd", "beside", "hidden", "cut", "alone")
PEOPLE, GROUNDS = "person_seg/ccp", ("backgrounds/davidg_scenes", "backgrounds/bsds")
GROUND_SCALE = 1.25  # of the ground to the frame: room for the camera to move
MIN_TALL = 2.0  # a cut-out's height to its width: whole people, who stand
NOISE = 2.0  # σ, of 255 levels


@dataclass(frozen=True, slots=True, eq=False)
class Walker:
    """A cut-out and its way: where its middle is (pixels), its height, its depth (0 is nearest)."""

    colours: Image
    alpha: FloatArray
    x: FloatArray
    height: FloatArray
    depth: float
    floor: float
    phase: float
    is_person: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class WalkingClip:
    """Frames, and for each the alphas (K, H, W) of its people as they are seen; the first is meant.

    `whole` are the areas that each would have, unhidden, per frame (frames, K). `cuts` are the
    first frames of new scenes, `crossings` the frames where somebody passes the one who is meant.
    """

    kind: str
    frames: list[Image]
    alphas: list[FloatArray]
    whole: FloatArray
    cuts: list[int] = field(default_factory=list)
    crossings: list[int] = field(default_factory=list)


def make_clip(data: Path, seed: int) -> WalkingClip:
    """Return the clip of a seed; its kind is KINDS[seed // 2 % len(KINDS)]."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed // 2 % len(KINDS)]
    files = people_files(data)[seed % 2 :: 2]
    people = [cut_out(*files[i]) for i in rng.choice(len(files), 4, False)]
    scenes = 2 if kind == "cut" else 1
    length = FRAMES // scenes
    cast = _cast(rng, kind)
    clips = [_scene(data, rng, seed, kind, people, cast, length) for _ in range(scenes)]
    cuts = [length * number for number in range(1, scenes)]
    frames = [frame for clip in clips for frame in clip[0]]
    alphas = [alpha for clip in clips for alpha in clip[1]]
    whole = np.concatenate([clip[2] for clip in clips])
    crossings = [n * length + at for n, clip in enumerate(clips) for at in clip[3]]
    return WalkingClip(kind, frames, alphas, whole, cuts, crossings)


def _cast(rng: np.random.Generator, kind: str) -> int:
    """Return how many people a clip has."""
    return {"cross": 2, "crowd": 4, "beside": 3, "hidden": 2, "cut": 3, "alone": 1}[kind]


def _scene(
    data: Path,
    rng: np.random.Generator,
    seed: int,
    kind: str,
    people: Sequence[tuple[Image, FloatArray]],
    cast: int,
    length: int,
) -> tuple[list[Image], list[FloatArray], FloatArray, list[int]]:
    """Return a scene's frames, alphas, whole areas and crossings."""
    ground = _ground(data, rng, seed)
    walkers = [_walker(rng, kind, n, people[n], length) for n in range(cast)]
    if kind == "hidden":
        walkers.append(_pillar(data, rng, seed, walkers[0], length))
    camera = _camera(rng, length)
    frames, alphas, whole = [], [], []
    for time in range(length):
        image, seen, areas = _compose(ground, camera[time], walkers, time, rng)
        frames.append(image)
        alphas.append(seen[:cast])
        whole.append(areas[:cast])
    crossings = [
        int(at)
        for other in walkers[1:cast]
        for at in np.flatnonzero(np.diff(np.sign(walkers[0].x - other.x)))
        if 0 < walkers[0].x[at] + camera[at, 0] < WIDTH
    ]
    return frames, alphas, np.array(whole, np.float32), crossings


def _walker(
    rng: np.random.Generator, kind: str, number: int, person: tuple[Image, FloatArray], length: int
) -> Walker:
    """Return a person with a way; number 0 is the one who is meant."""
    t = np.arange(length, dtype=np.float32) / FPS
    middle = length / FPS / 2
    side = 1 if rng.random() < 0.5 else -1
    if number == 0:
        speed, meeting, depth = side * rng.uniform(40, 80), rng.uniform(0.4, 0.6), 0.5
    else:
        speed, meeting = side * rng.uniform(40, 110), rng.uniform(0.25, 0.75)
        depth = float(rng.uniform(0, 1))
    x = WIDTH * meeting + speed * (t - middle)
    if kind == "beside" and number == 1:
        x = WIDTH / 2 + side * 60 * (t - middle) + 12 * np.sin(t)
    if kind == "beside" and number == 0:
        x = WIDTH / 2 + rng.choice((-38, 38)) + 50 * side * (t - middle)
    if kind in ("cross", "hidden") and number == 1:  # from the other side than the first comes
        x = WIDTH / 2 + rng.uniform(-60, 60) + side * rng.uniform(60, 110) * (t - middle)
    if kind == "alone":
        x = WIDTH / 2 + 60 * np.sin(2 * t + rng.uniform(0, 6))
    height = rng.uniform(0.62, 0.9) * HEIGHT * (1 + 0.05 * np.sin(t + rng.uniform(0, 6)))
    colours, alpha = person
    if rng.random() < 0.5:
        colours, alpha = Image(colours[:, ::-1]), alpha[:, ::-1]
    floor = HEIGHT * (1.02 - 0.06 * depth)
    phase = rng.uniform(0, 6)
    way, heights = np.asarray(x, np.float32), np.asarray(height, np.float32)
    return Walker(colours, alpha, way, heights, depth, floor, phase)


def _pillar(data: Path, rng: np.random.Generator, seed: int, hidden: Walker, length: int) -> Walker:
    """Return a part of another ground that stands where it hides the first for about a second."""
    ground = _ground(data, rng, seed)
    wide, high = int(rng.uniform(45, 75)), HEIGHT
    colours = Image(np.ascontiguousarray(ground[:high, :wide]))
    x = np.full(length, hidden.x[int(rng.uniform(0.55, 0.75) * length)], np.float32)
    ones = np.ones((high, wide), np.float32)
    height = np.full(length, high, np.float32)
    return Walker(colours, ones, x, height, -1.0, HEIGHT, 0.0, is_person=False)


def _camera(rng: np.random.Generator, length: int) -> FloatArray:
    """Return how far the camera has moved (length, 2) in pixels, x and y."""
    t = np.arange(length) / FPS
    reach = (GROUND_SCALE - 1) / 2 * WIDTH * rng.uniform(0, 0.8)
    x = reach * np.sin(rng.uniform(0.3, 1.0) * t + rng.uniform(0, 6))
    y = 5 * np.sin(rng.uniform(0.5, 2) * t)
    return np.stack([x, y], 1).astype(np.float32)


def _compose(
    ground: Image,
    camera: FloatArray,
    walkers: Sequence[Walker],
    time: int,
    rng: np.random.Generator,
) -> tuple[Image, FloatArray, FloatArray]:
    """Return a frame, what is seen of each walker (K, H, W), and their whole areas (K)."""
    left = (ground.shape[1] - WIDTH) / 2 - camera[0]
    top = (ground.shape[0] - HEIGHT) / 2 - camera[1]
    move = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
    picture = cv2.warpAffine(
        ground, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    ).astype(np.float32)
    seen = np.zeros((len(walkers), HEIGHT, WIDTH), np.float32)
    areas = np.zeros(len(walkers), np.float32)
    for number in sorted(range(len(walkers)), key=lambda n: -walkers[n].depth):
        colours, alpha = _drawn(walkers[number], camera, time)
        picture += alpha[:, :, None] * (colours - picture)
        seen *= 1 - alpha
        seen[number] = alpha
        areas[number] = alpha.sum()
    picture += rng.normal(0, NOISE, picture.shape)
    return Image(np.clip(picture, 0, 255).astype(np.uint8)), seen, areas


def _drawn(walker: Walker, camera: FloatArray, time: int) -> tuple[FloatArray, FloatArray]:
    """Return a walker's colours and alpha in the frame: its legs swing, and it bobs."""
    high, wide = walker.alpha.shape
    scale = walker.height[time] / high
    stride = 2 * np.pi * 1.7 * time / FPS + walker.phase
    bob = 2.0 * abs(np.sin(stride)) if walker.is_person else 0.0
    x0 = walker.x[time] + camera[0] - scale * wide / 2
    y0 = walker.floor + camera[1] - scale * high - bob
    columns = (np.arange(WIDTH, dtype=np.float32) - x0) / scale
    rows = (np.arange(HEIGHT, dtype=np.float32) - y0) / scale
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    if walker.is_person:
        down = np.clip(y / high - 0.45, 0, None)
        x = wide / 2 + (x - wide / 2) / (1 + 0.5 * np.sin(stride) * down)
        x += 0.02 * wide * np.sin(stride / 2) * np.cos(3 * y / high)
        x = x.astype(np.float32)
    colours = cv2.remap(walker.colours, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.remap(walker.alpha, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return colours.astype(np.float32), np.asarray(alpha, np.float32)


def _ground(data: Path, rng: np.random.Generator, seed: int) -> Image:
    """Return a photo without people, larger than the frame; its half of all is the seed's."""
    files = ground_files(data)[seed % 2 :: 2]
    picture = _read(files[rng.integers(len(files))])
    return cover(picture, int(HEIGHT * GROUND_SCALE), int(WIDTH * GROUND_SCALE))


@lru_cache
def ground_files(data: Path) -> list[Path]:
    """Return the photos without people."""
    return [path for name in GROUNDS for path in sorted((data / name).glob("*.jpg"))]


@lru_cache
def people_files(data: Path) -> list[tuple[Path, tuple[int, int, int, int]]]:
    """Return the masks of whole people, each with its box: x, y, width, height."""
    found = []
    for file in sorted((data / PEOPLE / "masks").glob("*.png")):
        mask = np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)) == 255
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
        x, y, wide, high, area = (int(value) for value in max(stats[1:], key=lambda row: row[4]))
        is_whole = y > 1 and x > 1 and x + wide < mask.shape[1] - 1
        if is_whole and high > MIN_TALL * wide and area > 0.9 * mask.sum():
            found.append((file, (x, y, wide, high)))
    return found


def cut_out(file: Path, box: tuple[int, int, int, int]) -> tuple[Image, FloatArray]:
    """Return a person's colours and alpha (H, W), as high as a frame."""
    x, y, wide, high = box
    mask = np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)) == 255
    picture = _read(file.parents[1] / "images" / f"{file.stem}.jpg")
    pixels = np.asarray(picture, np.uint8)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 0)
    colours = spread_subject_colours(pixels, np.where(alpha > 0.9, 255, 0).astype(np.uint8))
    around = slice(y - 2, y + high + 2), slice(max(0, x - 2), x + wide + 2)
    size = (round((wide + 4) * HEIGHT / (high + 4)), HEIGHT)
    shrunk = cv2.resize(np.ascontiguousarray(colours[around]), size, interpolation=cv2.INTER_AREA)
    soft = cv2.resize(alpha[around], size, interpolation=cv2.INTER_AREA)
    return Image(np.asarray(shrunk, np.uint8)), np.asarray(soft, np.float32)


def _read(file: Path) -> Image:
    """Return a picture in RGB."""
    picture: NDArray[np.uint8] = np.asarray(cv2.imread(str(file)), np.uint8)
    return Image(np.ascontiguousarray(picture[:, :, ::-1]))
