"""Large pictures whose alpha is known exactly, made of small ones, and ways to refine them.

"portrait": a portrait and its alpha enlarged, with grain: large, but soft as a phone's zoom.
"strands": an enlarged subject before another ground, with hairs drawn at full size in its own
colours: as sharp as a large picture can be. The same number gives the same picture. DATA holds
matting_gt/aisegment60 and backgrounds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scenes import PORTRAITS, entries_of

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, FloatArray, Image, Trimap, as_alpha
from matte.compositing.fitting import cover
from matte.compositing.foreground import estimate_foreground
from matte.datasets.reading import read_sample
from matte.datasets.samples import Sample
from matte.files import write_file
from matte.imaging.strips import strip_slices
from matte.media.encoding import encode
from matte.refiner.gca import NO_BORDER
from matte.refiner.protocols import network_inputs, pad_for_network
from matte.stages import NO_CONTEXT, RefineContext, Refined
from matte.training.synthesis.strands import Strands, draw_strands
from matte.weights.store import weights_named

# Which pictures of the set, in the order of names: gca-slim was trained on none of them.
SOFT_PORTRAITS = (18, 20, 25, 27)
# Which get hairs, on how much of the subject from above, and the ground behind them.
HAIRY_PORTRAITS = (
    (4, 0.55, "volcomix/porch-691330_1280"),
    (13, 0.2, "pop_os_wallpapers/jared-evans-119758"),
    (11, 0.35, "volcomix/saxon-switzerland-539418_1280"),
)
UNKNOWN_SHARE = 0.05
UNIT_MEGAPIXELS = 12  # at which the pixels below are meant: they grow with the picture
HAIRS, LOCKS = 700, 60
HAIR_LENGTHS, HAIR_WIDTHS = (60, 380), (1, 4)  # pixels
BAND_PIXELS = 12  # around soft alpha that are unknown
COLOUR_DEPTH, MAX_ROOT_DEPTH = 45, 25  # pixels inside the outline: of a hair's colour, of its root
GRAIN = 2.0  # of 255 levels
FOCUS_BLUR = 0.7  # pixels
QUERIES = 1024  # places whose attention is computed at a time
Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LargePicture:
    """A picture, its trimap, and the 8-bit alpha of which it was made."""

    name: str
    image: Image
    trimap: Trimap
    levels: Bytes

    @property
    def truth(self) -> Alpha:
        """Return the alpha, 0 … 1."""
        return as_alpha(self.levels)

    def save(self, folder: Path) -> None:
        """Write the picture, its trimap and its alpha."""
        arrays = (self.image, self.trimap, self.levels)
        for path, array in zip(picture_files(folder, self.name), arrays, strict=True):
            write_file(path, encode(array, path.suffix), overwrite=True)


def picture_files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Return where a large picture, its trimap and its alpha are saved."""
    return folder / f"{name}.jpg", folder / f"{name}-trimap.png", folder / f"{name}-alpha.png"


class WholePictureRefiner:
    """gca-slim in torch on the whole picture: memory grows with it, not with its square."""

    network = None

    def __init__(self) -> None:
        from matte.conversion.onnx_to_torch import torch_from_onnx
        from matte.refiner.attention import GuidedAttention

        self._network = torch_from_onnx(weights_named("gca-slim").path).exported
        for module in self._network.modules():
            if isinstance(module, GuidedAttention):
                module.queries = QUERIES

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size; 0 and 1 where the trimap knows."""
        import torch

        whole = pad_for_network(image, trimap, NO_BORDER)
        inputs = network_inputs(whole.image, whole.trimap)
        names = ("image", "trimap", "unknown_ratio")
        with torch.inference_mode():
            values = self._network(*(torch.from_numpy(inputs[name]) for name in names))
        alpha = np.clip(whole.crop(values.numpy()[0, 0]), 0, 1)
        known = (trimap == SUBJECT).astype(np.float32)
        return Refined(Alpha(np.where(trimap == UNKNOWN, alpha, known)))


def enlarged_portrait(data: Path, number: int, megapixels: float) -> LargePicture:
    """Return an enlarged portrait."""
    sample = _portrait(data, SOFT_PORTRAITS[number % len(SOFT_PORTRAITS)])
    size = _enlarged_size(sample, megapixels)
    image, levels = (_enlarge(array, *size) for array in (sample.picture, sample.truth))
    grainy = _add_grain(image, np.random.default_rng(number))
    name = f"portrait{number}-{megapixels:g}mp"
    return LargePicture(name, grainy, trimap_with_share(levels, UNKNOWN_SHARE), levels)


def hairy_portrait(data: Path, number: int, megapixels: float) -> LargePicture:
    """Return an enlarged subject before another ground, with hairs drawn at full size."""
    which, head, name = HAIRY_PORTRAITS[number % len(HAIRY_PORTRAITS)]
    sample, random = _portrait(data, which), np.random.default_rng(number)
    height, width = _enlarged_size(sample, megapixels)
    own = estimate_foreground(Image(sample.picture), as_alpha(sample.truth))
    body, subject = (_enlarge(array, height, width) for array in (sample.truth, own))
    grounds = entries_of(data, ("backgrounds", "backgrounds"))
    (ground,) = (entry for entry in grounds if name in entry.name)
    back = cv2.GaussianBlur(read_sample(ground).picture, (0, 0), 2)
    behind = cover(Image(np.asarray(back, np.uint8)), height, width)
    unit = (megapixels / UNIT_MEGAPIXELS) ** 0.5
    hair, colours = _draw_hair(body, subject, head, unit, random)
    levels, image = np.empty_like(body), np.empty_like(subject)
    for rows in strip_slices(height, width):
        a, h = (x[rows, :, None].astype(np.float64) / 255 for x in (body, hair))
        near = h * colours[rows] + (1 - h) * a * subject[rows]
        total = 1 - (1 - a) * (1 - h)
        levels[rows] = np.rint(255 * total)[:, :, 0]
        # Alpha is rounded first, and the picture made of the rounded one.
        own_colour = near / np.maximum(total, 1e-6)
        rounded = levels[rows, :, None] / 255
        image[rows] = np.rint(rounded * own_colour + (1 - rounded) * behind[rows])
    trimap = _make_trimap(levels, _distance_to_soft(levels) <= BAND_PIXELS * unit)
    grainy = _add_grain(image, random)
    return LargePicture(f"strands{number}-{megapixels:g}mp", grainy, trimap, levels)


KINDS: dict[str, Callable[[Path, int, float], LargePicture]] = {
    "portrait": enlarged_portrait,
    "strands": hairy_portrait,
}


def trimap_with_share(levels: Bytes, share: float) -> Trimap:
    """Return the trimap whose unknown pixels are that share of all, those nearest to soft alpha;
    all of soft alpha at least.
    """
    distance = _distance_to_soft(levels)
    return _make_trimap(levels, distance <= np.quantile(distance[::3, ::3], share))


def _draw_hair(
    body: Bytes, subject: Bytes, head: float, unit: float, random: np.random.Generator
) -> tuple[Bytes, Bytes]:
    """Return the alpha of flyaway hairs, and their colours around them."""
    height, width = body.shape
    outline, outwards = _upper_outline(body, head, unit)
    lock = random.integers(0, LOCKS, HAIRS)
    loose = random.random(HAIRS) < 0.5
    at = random.integers(0, len(outline), LOCKS)[lock] + random.normal(0, 25 * unit, HAIRS)
    at = np.where(loose, random.integers(0, len(outline), HAIRS), at).astype(int) % len(outline)
    depth = unit * random.uniform(0, MAX_ROOT_DEPTH, (HAIRS, 1))
    lean, turn = random.normal(0, 0.3, LOCKS)[lock], random.normal(0, 0.9, LOCKS)[lock]
    wild = np.where(loose, 0.5, 0.12)
    # Hair falls: it leaves the head more along it than away from it.
    out = outwards[at]
    along = np.stack([-out[:, 1], out[:, 0]], 1)
    along *= np.sign(along[:, 1:] + random.normal(0, 0.3, LOCKS)[lock][:, None])
    towards = out + random.uniform(0.2, 1.8, (HAIRS, 1)) * along
    shortest, longest = HAIR_LENGTHS
    # Most are short and thin, a few long and wide.
    lengths = shortest + (longest - shortest) * random.beta(1.3, 2.2, HAIRS)
    finest, widest = HAIR_WIDTHS
    widths = finest + (widest - finest) * random.beta(1.2, 2.5, HAIRS)
    hairs = Strands(
        outline[at] - out * depth,
        np.arctan2(towards[:, 1], towards[:, 0]) + lean + random.normal(0, wild),
        unit * lengths + depth[:, 0],
        unit * widths,
        turn + random.normal(0, wild),
        random.uniform(0.7, 1, HAIRS),
    )
    seed = int(random.integers(2**31))
    alpha = draw_strands(hairs, height, width, np.random.default_rng(seed))
    # The same seed gives the same courses.
    courses = np.rint(hairs.points(np.random.default_rng(seed))).astype(np.int32)
    inner = np.rint(outline[at] - unit * COLOUR_DEPTH * out).astype(int)
    x, y = np.clip(inner, 0, (width - 1, height - 1)).T
    smooth = cv2.GaussianBlur(subject, (0, 0), 4 * unit)
    shades = smooth[y, x] * np.exp(random.normal(0, 0.15, (HAIRS, 1)))
    colours = np.empty_like(subject)
    colours[:] = shades.mean(axis=0).clip(0, 255).astype(np.uint8)
    for course, shade, wide in zip(courses, shades.clip(0, 255), hairs.widths, strict=True):
        cv2.polylines(colours, [course], False, shade.tolist(), int(np.ceil(wide)) + 2)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), FOCUS_BLUR), np.uint8), colours


def _upper_outline(body: Bytes, head: float, unit: float) -> tuple[Doubles, Doubles]:
    """Return points (N, 2) as x, y on the upper outline, inside the picture, and directions out."""
    contours, _ = cv2.findContours(
        (body > 200).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    points = max(contours, key=len)[:, 0].astype(np.float64)
    window = 2 * int(30 * unit) + 1
    flat = np.ones(window) / window
    rounded = np.stack([np.convolve(points[:, c], flat, "same") for c in (0, 1)], 1)
    along = np.gradient(rounded, axis=0)
    # OpenCV goes around a region with the region at its left, as rows grow downwards.
    outwards = np.stack([along[:, 1], -along[:, 0]], 1) * _orientation(points)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-6)
    height, width = body.shape
    top, bottom = points[:, 1].min(), points[:, 1].max()
    high = points[:, 1] < top + head * (bottom - top)
    border = 9 * unit
    within = np.all((points > border) & (points < (width - border, height - border)), axis=1)
    chosen = high & within
    chosen[: window // 2] = chosen[-(window // 2) :] = False
    return points[chosen], outwards[chosen]


def _orientation(points: Doubles) -> float:
    """Return 1 where the outline goes around clockwise on the screen, else -1."""
    x, y = points.T
    area = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    return 1.0 if area > 0 else -1.0


def _portrait(data: Path, number: int) -> Sample:
    return read_sample(entries_of(data, PORTRAITS)[number])


def _enlarged_size(sample: Sample, megapixels: float) -> tuple[int, int]:
    height, width = sample.truth.shape
    scale = (megapixels * 1e6 / (height * width)) ** 0.5
    return round(height * scale), round(width * scale)


def _enlarge(array: NDArray[np.uint8 | np.uint16], height: int, width: int) -> Bytes:
    return np.asarray(cv2.resize(array, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _add_grain(image: Bytes, random: np.random.Generator) -> Image:
    """Add a sensor's noise to the picture, in place, and return it."""
    for rows in strip_slices(*image.shape[:2]):
        noise = random.standard_normal(image[rows].shape, np.float32) * np.float32(GRAIN)
        image[rows] = np.rint(np.clip(image[rows] + noise, 0, 255))
    return Image(image)


def _distance_to_soft(levels: Bytes) -> FloatArray:
    """Return how many pixels it is to the nearest soft alpha."""
    sure = ((levels <= 2) | (levels >= 253)).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(sure, cv2.DIST_L2, 5), np.float32)


def _make_trimap(levels: Bytes, unknown: NDArray[np.bool_]) -> Trimap:
    trimap = np.where(levels > 127, np.uint8(SUBJECT), np.uint8(BACKGROUND))
    trimap[unknown] = UNKNOWN
    return Trimap(trimap)
