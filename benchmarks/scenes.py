"""Pictures whose alpha, or also colours, are known: sets below DATA, and cut-outs on photos."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from matte.api import composite
from matte.arrays import Alpha, Image, Trimap, as_alpha, as_image, as_trimap
from matte.compositing.fitting import cover
from matte.datasets.colours import spread_subject_colours
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry
from matte.refiner.gca import Gca
from matte.runtime.opener import open_onnx_file
from matte.weights.store import find_weights

# Folders below DATA with their layouts.
ALPHAMATTING = ("matting_gt/alphamatting_lowres", "alphamatting")
PORTRAITS = ("matting_gt/aisegment60", "alphas")
CUTOUTS = ("matting_fg_rgba/davidg200", "cutouts")
GROUNDS = ("backgrounds/bsds", "backgrounds")
FRAME_PIXELS = 40  # around a subject, but for below


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture whose parts are known: `image` = `alpha` `subject` + (1 − `alpha`) `ground`."""

    name: str
    image: Image
    alpha: Alpha
    subject: Image
    ground: Image


def entries_of(data: Path, name: tuple[str, str], count: int = 0) -> list[Entry]:
    """Return a set's entries, or `count` of them from everywhere; 0: all."""
    entries = list_set(data / name[0], name[1]).entries
    step = max(1, len(entries) // count) if count else 1
    return list(entries[::step][: count or None])


def scenes(data: Path, name: tuple[str, str], count: int = 0) -> Iterator[Scene]:
    """Yield the set's subjects, with a frame around them, on photos.

    Of alphamatting.com's alphas, the colours of solid pixels are spread under the soft ones.
    """
    grounds = entries_of(data, GROUNDS)
    sides = (FRAME_PIXELS, 0, FRAME_PIXELS, FRAME_PIXELS)
    for number, entry in enumerate(entries_of(data, name, count)):
        sample = read_sample(entry)
        colours, opacity = sample.picture, sample.truth
        if name == ALPHAMATTING:
            solid = np.where(opacity > 250, opacity, np.minimum(opacity, 100))
            colours = spread_subject_colours(colours, solid.astype(np.uint8))
        subject = as_image(cv2.copyMakeBorder(colours, *sides, cv2.BORDER_REPLICATE))
        alpha = as_alpha(cv2.copyMakeBorder(opacity, *sides, cv2.BORDER_CONSTANT))
        photo = read_sample(grounds[7 * number % len(grounds)]).picture
        ground = cover(Image(photo), *alpha.shape)
        yield Scene(entry.name, Image(composite(subject, alpha, ground)), alpha, subject, ground)


def trimap_around(truth: Alpha, reach: int) -> Trimap:
    """Return the trimap whose band reaches `reach` pixels to both sides of the true edge."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    trimap = np.full(truth.shape, 128, np.uint8)
    trimap[cv2.dilate(truth, kernel) < 0.02] = 0
    trimap[cv2.erode(truth, kernel) > 0.98] = 255
    return as_trimap(trimap)


def one_thread_refiner(name: str = "gca-slim") -> Gca:
    """Return a shipped refiner on OpenVINO and one thread."""
    return Gca(open_onnx_file(find_weights("refiner", name).path, "openvino", threads=1), "demo")
