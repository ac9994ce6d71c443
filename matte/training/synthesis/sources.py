"""The material of samples: subjects, prepared once, and backgrounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, Uint8Array
from matte.datasets.samples import Sample
from matte.imaging.regions import bounding_box, region_depth
from matte.training.synthesis.estimates import ColourEstimate, shared_estimates
from matte.training.synthesis.geometry import (
    Random,
    Sides,
    cropped_sides,
    place_window,
    random_transform,
    sample_window,
)
from matte.training.synthesis.layers import Layer
from matte.training.synthesis.noise import smooth_noise

MAX_SOFT_PIXELS = 20000  # of each picture, to bound memory
MIN_MASK_DEPTH_PIXELS = 12  # nothing solid is left of a thinner mask when its edge is eroded


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSubject:
    """A picture's subject with what drawing samples of it needs.

    `picture` as read and `alpha` (if `rough` a mask, to be softened by `mask_layer`); the flat
    indices of its `soft` pixels and edges; the sides at which it is `cropped`; its bounding `box`,
    rows and columns. `estimate`: its own colours, where the picture shows others too.
    """

    picture: Uint8Array
    alpha: Uint8Array
    estimate: ColourEstimate | None
    rough: bool
    soft: NDArray[np.int32]
    cropped: Sides
    box: tuple[slice, slice]

    @property
    def layer(self) -> Layer:
        """The subject with its own colours; if `rough`, only within the mask.

        Slow the first time where they are estimated.
        """
        return self.estimate.layer() if self.estimate else Layer(self.picture, self.alpha)

    def random_soft_pixel(self, random: Random) -> tuple[float, float]:
        """Draw one of its soft pixels, as x and y."""
        y, x = divmod(int(random.choice(self.soft)), self.alpha.shape[1])
        return float(x), float(y)


def prepare_subjects(samples: Sequence[Sample]) -> list[PreparedSubject]:
    """Return the samples' subjects, in order, without those that have no edge.

    Of masks the thin ones are left out, too. A sample that comes many times, as those of a heavy
    set, is one subject.
    """
    different = {id(sample): sample for sample in samples}
    alphas = [sample for sample in different.values() if sample.kind == "alpha"]
    estimated = dict(zip(map(id, alphas), shared_estimates(alphas), strict=True))
    made = {key: _prepare_subject(sample, estimated.get(key)) for key, sample in different.items()}
    found = (made[id(sample)] for sample in samples)
    return [subject for subject in found if subject is not None]


def _prepare_subject(sample: Sample, estimate: ColourEstimate | None) -> PreparedSubject | None:
    """Return a sample's subject; None without an edge, or for a mask that is too thin."""
    alpha, rough = sample.truth, sample.kind == "mask"
    if rough:
        inside = alpha == SUBJECT
        if region_depth(inside) < MIN_MASK_DEPTH_PIXELS:
            return None
        alpha = np.where(inside, SUBJECT, 0).astype(np.uint8)
    soft, box = _soft_pixels(alpha), bounding_box(alpha > 8)
    if not soft.size or box is None:
        return None
    return PreparedSubject(sample.picture, alpha, estimate, rough, soft, cropped_sides(alpha), box)


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """Photos without a subject, and how they are changed.

    `plain`: probability of a studio's backdrop instead of a photo. `blurred`: of one that is out
    of focus. `alike`: of one whose mean colour is brought near the subject's.
    """

    pictures: tuple[Uint8Array, ...]
    plain: float
    blurred: float
    alike: float

    def draw_behind(self, layer: Layer, random: Random) -> Uint8Array:
        """Draw a background (H, W, 3) for a layer, of its size."""
        height, width = layer.alpha.shape
        if random.random() < self.plain:
            picture = _draw_backdrop(height, width, random)
        else:
            picture = self.draw_photo(height, width, random)
            if random.random() < self.blurred:
                widest = 0.05 * min(height, width) + 1
                sigma = float(np.exp(random.uniform(0, np.log(widest))))
                picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
        if random.random() < self.alike:
            wanted = cv2.mean(layer.colours, layer.alpha)
            there = cv2.mean(picture)
            part = random.uniform(0.5, 1)
            step = part * (np.array(wanted) - there)
            picture = np.asarray(cv2.add(picture, step), np.uint8)
        return picture

    def draw_photo(self, height: int, width: int, random: Random) -> Uint8Array:
        """Draw a part (height, width, 3) of a photo, at a random scale."""
        picture = self.pictures[int(random.integers(len(self.pictures)))]
        # Between one pixel for one and the whole photo.
        whole = max(height / picture.shape[0], width / picture.shape[1])
        scales = (min(whole, 0.7), max(1.3 * whole, 1.2))
        place = random.uniform(0, 1, 2) * picture.shape[1::-1]
        turn = random_transform(random, scales, 8)
        view = place_window(
            picture.shape, (height, width), (place[0], place[1]), turn, enlarge=np.inf
        )
        return sample_window(picture, view)


def _soft_pixels(alpha: Uint8Array) -> NDArray[np.int32]:
    """Return flat indices of the pixels where alpha is soft or jumps, at most MAX_SOFT_PIXELS."""
    steps = np.asarray(cv2.morphologyEx(alpha, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
    found = np.flatnonzero(((alpha > 8) & (alpha < 247)) | (steps > 60))
    return found[:: max(1, -(-found.size // MAX_SOFT_PIXELS))].astype(np.int32)


def _draw_backdrop(height: int, width: int, random: Random) -> Uint8Array:
    """Draw one colour, lighter here and darker there, as a studio's backdrop."""
    colour = random.uniform(0, 255, 3).astype(np.float32)
    if random.random() < 0.4:
        colour[:] = colour.mean()
    light = np.float32(random.uniform(0, 50)) * smooth_noise(
        height, width, max(height, width), random
    )
    return np.clip(colour + light[:, :, None], 0, 255).astype(np.uint8)
