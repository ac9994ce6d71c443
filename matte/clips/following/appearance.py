"""What a subject looks like: how often each colour occurs at each height of it."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, FloatArray
from matte.clips.following.boxes import Box, box_of

# Lightness in 16 steps; both colour axes in 16 steps of 5 around grey, where clothes are.
BINS, LIGHTNESS_SHIFT, COLOUR_STEP = 16, 4, 5
BANDS = 4  # of a subject's height: hair, coat, trousers, shoes
COLOURS = BINS**3
NEIGHBOUR_WEIGHT = 0.3  # of the bands above and below, as nobody's height is known exactly
ANY_HEIGHT_WEIGHT = 0.25  # of the colours of all heights
MIN_SHARE = np.float32(1e-5)  # a colour that never occurred is not impossible
# Share of a frame's colours in the average of late ones; the first are never forgotten.
LEARNING_RATE, FIRST_WEIGHT = 0.05, 0.5

ColourCodes = NDArray[Any]  # (h, w) uint16: each pixel's bin
Histogram = FloatArray  # (BANDS, COLOURS), adds up to 1

_LIGHTNESS = (np.arange(256) >> LIGHTNESS_SHIFT).astype(np.uint16) * np.uint16(BINS * BINS)
_AXIS = np.clip((np.arange(256) - 128) // COLOUR_STEP + BINS // 2, 0, BINS - 1).astype(np.uint16)


def colour_codes(picture: NDArray[np.uint8]) -> ColourCodes:
    """Return the colour bin of each pixel (h, w) of an RGB picture."""
    lightness, a, b = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB))
    return np.asarray(_LIGHTNESS[lightness] + _AXIS[a] * np.uint16(BINS) + _AXIS[b], np.uint16)


def colour_histogram(codes: ColourCodes, region: BoolArray) -> Histogram:
    """Return the smoothed share of each colour in each band of a region's height."""
    left, top, right, bottom = box_of(region).astype(int)
    within = slice(top, bottom), slice(left, right)
    bands = band_of_rows(np.arange(bottom - top), 0, bottom - top) * COLOURS
    bins = (bands[:, None] + codes[within])[region[within]]
    counts = np.bincount(bins, minlength=BANDS * COLOURS).astype(np.float32)
    cube: FloatArray = counts.reshape(BANDS, BINS, BINS, BINS)
    for axis in (1, 2, 3):
        around = np.moveaxis(cube, axis, 0)
        padded = np.concatenate([around[:1], around, around[-1:]])
        smooth = padded[:-2] / 4 + around / 2 + padded[2:] / 4
        cube = np.asarray(np.moveaxis(smooth, 0, axis), np.float32)
    shares = np.ascontiguousarray(cube).reshape(BANDS, COLOURS)
    return np.asarray(shares / np.float32(max(1, len(bins))), np.float32)


def band_of_rows(rows: NDArray[Any], top: float, bottom: float) -> NDArray[Any]:
    """Return in which band of a height from `top` to `bottom` rows lie."""
    shares = (rows - top) / max(1.0, bottom - top)
    return np.clip((shares * BANDS).astype(np.intp), 0, BANDS - 1)


def likeness(one: Histogram, other: Histogram) -> float:
    """Return how alike two histograms are, 0 … 1.

    It is the mean of the Bhattacharyya coefficients with and without regard to height.
    """
    at_any_height = np.sqrt(one.sum(axis=0) * other.sum(axis=0)).sum()
    return float(at_any_height + np.sqrt(one * other).sum()) / 2


def mixture_likeness(mixed: Histogram, one: Histogram, other: Histogram) -> float:
    """Return how alike the colours of a region are to those of two subjects together."""
    colours, first, second = (each.sum(axis=0) for each in (mixed, one, other))
    shares = (0.3, 0.5, 0.7)
    mixtures = (share * first + (1 - share) * second for share in shares)
    return max(float(np.sqrt(colours * mixture).sum()) for mixture in mixtures)


class Appearance:
    """The memory of a subject's colours: the first ones, and a moving average of later ones."""

    def __init__(self, histogram: Histogram) -> None:
        """Begin with the colours of the frame in which the subject was first seen whole."""
        self._first = self._late = histogram
        self._log_shares: FloatArray | None = None

    def learn(self, histogram: Histogram) -> None:
        """Let a frame's colours count in the moving average."""
        self._late = self._late + np.float32(LEARNING_RATE) * (histogram - self._late)
        self._log_shares = None

    @property
    def histogram(self) -> Histogram:
        """The remembered share of each colour at each height."""
        return self._late + np.float32(FIRST_WEIGHT) * (self._first - self._late)

    def log_shares(self) -> FloatArray:
        """Return the logarithm of each colour's share at each height (BANDS, COLOURS)."""
        if self._log_shares is None:
            joint = self.histogram
            bands = joint / np.maximum(joint.sum(axis=1, keepdims=True), np.float32(1e-3))
            near = bands.copy()
            near[1:] += np.float32(NEIGHBOUR_WEIGHT) * bands[:-1]
            near[:-1] += np.float32(NEIGHBOUR_WEIGHT) * bands[1:]
            near /= near.sum(axis=1, keepdims=True) + MIN_SHARE
            shares = near + np.float32(ANY_HEIGHT_WEIGHT) * (joint.sum(axis=0) - near)
            self._log_shares = np.asarray(np.log(shares + MIN_SHARE), np.float32)
        return self._log_shares

    def log_likelihood(self, codes: ColourCodes, first_row: int, box: Box) -> FloatArray:
        """Return how likely each pixel's colour is (h, w), where the subject fills a box.

        `codes` begin at the frame's row `first_row`.
        """
        rows = np.arange(first_row, first_row + codes.shape[0])
        bands = band_of_rows(rows, float(box[1]), float(box[3]))
        return np.asarray(self.log_shares()[bands[:, None], codes], np.float32)
