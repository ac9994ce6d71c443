"""Where a refiner's trimaps come from."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.configs.settings import Config
from matte.errors import PictureError, SettingError
from matte.evaluation.pairs import DrawTrimap, is_folder, named_pictures, only
from matte.media.pictures import read_trimap
from matte.pipeline.steps import cut_subject
from matte.pipeline.steps import draw as draw_subject_trimap
from matte.stages import Segmenter

# Alpha from which a pixel is all subject; its mirror is all background. The portraits of AISegment
# are 254 in many places inside the subject, and down to 250 in some.
SOLID = 250 / 255
WIDEST = 256  # pixels, of the mean width of a drawn band


@dataclass(frozen=True, slots=True)
class Trimaps:
    """How a picture's trimap is made; `trusted` if what it knows is the truth."""

    draw: DrawTrimap
    trusted: bool = True


def from_folder(folder: Path) -> Trimaps:
    """Those that lie in a folder under the pictures' names, sorted at 85 and 170."""
    if not is_folder(folder):
        raise PictureError(
            f"no folder {folder.name} in {folder.parent}",
            "name it with --trimap, or use --trimap-from-alpha 15",
        )
    known = named_pictures(folder)

    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        if name not in known:
            raise PictureError("it has no trimap", f"put one into {folder.name}")
        return read_trimap(only(known[name], "trimap"))

    return Trimaps(draw)


def from_alpha(width: int, seed: int = 0) -> Trimaps:
    """Those that are left when the solid parts of the true alpha shrink.

    The subject and the background shrink by widths of their own, drawn for each picture from
    width / 3 … 2 width pixels: the middle of a band of one width would give the edge away.
    """
    if not 1 <= width <= WIDEST:
        raise SettingError(f"trimaps {width} pixels wide", f"give 1 … {WIDEST}")
    narrowest, widest = max(1, round(width / 3)), 2 * width

    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        # From the name, so that a picture has the same trimap in whatever company.
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        inner, outer = random.integers(narrowest, widest, size=2, endpoint=True)
        trimap = np.full(truth.shape, UNKNOWN, np.uint8)
        trimap[_depth(truth >= SOLID) > inner] = SUBJECT
        trimap[_depth(truth <= 1 - SOLID) > outer] = BACKGROUND
        return Trimap(trimap)

    return Trimaps(draw)


def from_segmenter(segmenter: Segmenter, config: Config) -> Trimaps:
    """Those that matte itself draws around the subject that it finds, right or wrong."""

    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        subject = cut_subject(segmenter.segment(image), config.segmentation)
        return draw_subject_trimap(subject, config.trimap).trimap

    return Trimaps(draw, trusted=False)


def _depth(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far each pixel of the region is from the nearest one outside; 0 outside."""
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    precise = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(precise, np.float32)
