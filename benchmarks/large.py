"""Large pictures whose alpha is known exactly, made of small ones: what scaling.py and parts.py
measure on.

    python benchmarks/large.py DATA FOLDER [--megapixels 12] [--kinds portrait strands] [--number 3]

DATA holds matting_gt/aisegment60 and backgrounds. "portrait": a portrait and its alpha enlarged,
with grain: large, but soft as a phone's zoom. "strands": an enlarged subject before another ground,
with hairs drawn at full size in its own colours: as sharp as a large picture can be. The same
number gives the same picture. Writes NAME.jpg, NAME-trimap.png and NAME-alpha.png.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap, as_alpha
from matte.compositing.fitting import cover
from matte.compositing.foreground import estimate_foreground
from matte.datasets.layouts import list_set
from matte.datasets.reading import read
from matte.datasets.samples import Sample
from matte.files import write_file
from matte.imaging.strips import strip_slices
from matte.media.encoding import encode
from matte.training.synthesis.strands import Strands, drawn

PORTRAITS = "matting_gt/aisegment60"
# Which pictures of the set, in the order of names: gca-slim was trained on none of them.
SOFT = (18, 20, 25, 27)
# Which get hairs, on how much of the subject from above, and what they are put before.
HAIRY = (
    (4, 0.55, "volcomix/porch-691330_1280"),
    (13, 0.2, "pop_os_wallpapers/jared-evans-119758"),
    (11, 0.35, "volcomix/saxon-switzerland-539418_1280"),
)
SHARE = 0.05  # unknown, if nobody names another
MEGA = 12  # megapixels for which pixels are told here: they grow with the picture
HAIRS, LOCKS = 700, 60
LENGTHS, WIDTHS = (60, 380), (1, 4)  # pixels
BAND = 12  # pixels around soft alpha that are unknown
INSIDE, ROOT = (
    45,
    25,
)  # pixels inside of the outline that a hair's colour is from, and it is at most
GRAIN = 2.0  # of 255 levels
FOCUS = 0.7  # pixels
Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A picture, what is known of it, and its alpha in 8 bits, of which it was made."""

    name: str
    image: Image
    trimap: Trimap
    levels: Bytes

    @property
    def truth(self) -> Alpha:
        """The alpha, 0 … 1."""
        return as_alpha(self.levels)

    def save(self, folder: Path) -> tuple[Path, Path, Path]:
        """Writes the picture, its trimap and its alpha; returns where they are."""
        places = files(folder, self.name)
        encoded = (
            encode(self.image, ".jpg"),
            encode(self.trimap, ".png"),
            encode(self.levels, ".png"),
        )
        for path, data in zip(places, encoded, strict=True):
            write_file(path, data, overwrite=True)
        return places


def files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Where a case's picture, trimap and alpha are saved."""
    return folder / f"{name}.jpg", folder / f"{name}-trimap.png", folder / f"{name}-alpha.png"


def portrait(data: Path, number: int, megapixels: float) -> Case:
    """An enlarged portrait."""
    sample = _portrait(data, SOFT[number % len(SOFT)])
    height, width = _size(sample, megapixels)
    image, levels = (_enlarged(a, height, width) for a in (sample.picture, sample.truth))
    grainy = _grainy(image, np.random.default_rng(number))
    return Case(_name("portrait", number, megapixels), grainy, banded(levels, SHARE), levels)


def strands(data: Path, number: int, megapixels: float) -> Case:
    """An enlarged subject before another ground, with hairs drawn at full size."""
    which, head, ground = HAIRY[number % len(HAIRY)]
    sample, random = _portrait(data, which), np.random.default_rng(number)
    height, width = _size(sample, megapixels)
    own = estimate_foreground(Image(sample.picture), as_alpha(sample.truth))
    body, subject = (_enlarged(a, height, width) for a in (sample.truth, own))
    (far,) = (e for e in list_set(data / "backgrounds", "backgrounds").entries if ground in e.name)
    back = cv2.GaussianBlur(read(far).picture, (0, 0), 2)
    behind = cover(Image(np.asarray(back, np.uint8)), height, width)
    unit = (megapixels / MEGA) ** 0.5
    hair, colours = _hair(body, subject, head, unit, random)
    levels = np.empty_like(body)
    image = np.empty_like(subject)
    for rows in strip_slices(height, width):
        a, h = (x[rows, :, None].astype(np.float64) / 255 for x in (body, hair))
        near = h * colours[rows] + (1 - h) * a * subject[rows]
        total = 1 - (1 - a) * (1 - h)
        levels[rows] = np.rint(255 * total)[:, :, 0]
        # Alpha is rounded first, and the picture made of what is left of it.
        own_colour = near / np.maximum(total, 1e-6)
        rounded = levels[rows, :, None] / 255
        image[rows] = np.rint(rounded * own_colour + (1 - rounded) * behind[rows])
    trimap = _known(levels, _from_soft(levels) <= BAND * unit)
    return Case(_name("strands", number, megapixels), _grainy(image, random), trimap, levels)


KINDS: dict[str, Callable[[Path, int, float], Case]] = {"portrait": portrait, "strands": strands}


def banded(levels: Bytes, share: float) -> Trimap:
    """The trimap whose unknown pixels are that share of all, those nearest to soft alpha; all of
    soft alpha at least.
    """
    distance = _from_soft(levels)
    return _known(levels, distance <= np.quantile(distance[::3, ::3], share))


def _hair(
    body: Bytes, subject: Bytes, head: float, unit: float, random: np.random.Generator
) -> tuple[Bytes, Bytes]:
    """Alpha of flyaway hairs, and their colours around them."""
    height, width = body.shape
    outline, outwards = _outline(body, head, unit)
    lock = random.integers(0, LOCKS, HAIRS)
    loose = random.random(HAIRS) < 0.5
    at = random.integers(0, len(outline), LOCKS)[lock] + random.normal(0, 25 * unit, HAIRS)
    at = np.where(loose, random.integers(0, len(outline), HAIRS), at).astype(int) % len(outline)
    depth = unit * random.uniform(0, ROOT, (HAIRS, 1))
    lean, turn = random.normal(0, 0.3, LOCKS)[lock], random.normal(0, 0.9, LOCKS)[lock]
    wild = np.where(loose, 0.5, 0.12)
    # Hair falls: it leaves the head more along it than away from it.
    out = outwards[at]
    along = np.stack([-out[:, 1], out[:, 0]], 1)
    along *= np.sign(along[:, 1:] + random.normal(0, 0.3, LOCKS)[lock][:, None])
    towards = out + random.uniform(0.2, 1.8, (HAIRS, 1)) * along
    shortest, longest = LENGTHS
    # Most are short and thin, a few long and wide.
    lengths = shortest + (longest - shortest) * random.beta(1.3, 2.2, HAIRS)
    finest, widest = WIDTHS
    widths = finest + (widest - finest) * random.beta(1.2, 2.5, HAIRS)
    grown = Strands(
        outline[at] - out * depth,
        np.arctan2(towards[:, 1], towards[:, 0]) + lean + random.normal(0, wild),
        unit * lengths + depth[:, 0],
        unit * widths,
        turn + random.normal(0, wild),
        random.uniform(0.7, 1, HAIRS),
    )
    seed = int(random.integers(2**31))
    alpha = drawn(grown, height, width, np.random.default_rng(seed))
    # The same seed gives the same courses.
    courses = np.rint(grown.points(np.random.default_rng(seed))).astype(np.int32)
    inner = np.rint(outline[at] - unit * INSIDE * out).astype(int)
    x, y = np.clip(inner, 0, (width - 1, height - 1)).T
    smooth = cv2.GaussianBlur(subject, (0, 0), 4 * unit)
    shades = smooth[y, x] * np.exp(random.normal(0, 0.15, (HAIRS, 1)))
    colours = np.empty_like(subject)
    colours[:] = shades.mean(axis=0).clip(0, 255).astype(np.uint8)
    for course, shade, wide in zip(courses, shades.clip(0, 255), grown.widths, strict=True):
        cv2.polylines(colours, [course], False, shade.tolist(), int(np.ceil(wide)) + 2)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), FOCUS), np.uint8), colours


def _outline(body: Bytes, head: float, unit: float) -> tuple[Doubles, Doubles]:
    """Points (N, 2) as x, y on the upper outline, inside of the picture, and the directions out."""
    contours, _ = cv2.findContours(
        (body > 200).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    points = max(contours, key=len)[:, 0].astype(np.float64)
    window = 2 * int(30 * unit) + 1
    flat = np.ones(window) / window
    rounded = np.stack([np.convolve(points[:, c], flat, "same") for c in (0, 1)], 1)
    along = np.gradient(rounded, axis=0)
    # OpenCV goes around a region with the region at its left, as rows grow downwards.
    outwards = np.stack([along[:, 1], -along[:, 0]], 1) * _turning(points)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-6)
    height, width = body.shape
    top, bottom = points[:, 1].min(), points[:, 1].max()
    high = points[:, 1] < top + head * (bottom - top)
    border = 9 * unit
    within = np.all((points > border) & (points < (width - border, height - border)), axis=1)
    kept = high & within
    kept[: window // 2] = kept[-(window // 2) :] = False
    return points[kept], outwards[kept]


def _turning(points: Doubles) -> float:
    """1 where the outline goes around clockwise as it is seen, else -1."""
    x, y = points.T
    area = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    return 1.0 if area > 0 else -1.0


def _portrait(data: Path, number: int) -> Sample:
    return read(list_set(data / PORTRAITS, "alphas").entries[number])


def _size(sample: Sample, megapixels: float) -> tuple[int, int]:
    height, width = sample.truth.shape
    scale = (megapixels * 1e6 / (height * width)) ** 0.5
    return round(height * scale), round(width * scale)


def _enlarged(array: NDArray[np.uint8 | np.uint16], height: int, width: int) -> Bytes:
    return np.asarray(cv2.resize(array, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _grainy(image: Bytes, random: np.random.Generator) -> Image:
    """The picture with a sensor's noise, in place."""
    for rows in strip_slices(*image.shape[:2]):
        noise = random.standard_normal(image[rows].shape, np.float32) * np.float32(GRAIN)
        image[rows] = np.rint(np.clip(image[rows] + noise, 0, 255))
    return Image(image)


def _from_soft(levels: Bytes) -> NDArray[np.float32]:
    """How many pixels it is to the nearest soft alpha."""
    sure = ((levels <= 2) | (levels >= 253)).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(sure, cv2.DIST_L2, 5), np.float32)


def _known(levels: Bytes, unknown: NDArray[np.bool_]) -> Trimap:
    trimap = np.where(levels > 127, np.uint8(SUBJECT), np.uint8(BACKGROUND))
    trimap[unknown] = UNKNOWN
    return Trimap(trimap)


def _name(kind: str, number: int, megapixels: float) -> str:
    return f"{kind}{number}-{megapixels:g}mp"


def main() -> None:
    """Makes and saves cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[MEGA])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--number", type=int, default=3)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for mega in given.megapixels:
        for kind in given.kinds:
            for number in range(given.number):
                case = KINDS[kind](given.data, number, mega)
                places = case.save(given.folder)
                unknown = (case.trimap == UNKNOWN).mean()
                soft = ((case.levels > 2) & (case.levels < 253)).mean()
                print(f"{places[0]}: {unknown:.1%} unknown, {soft:.1%} soft", flush=True)


if __name__ == "__main__":
    main()
