"""Trimaps for measuring refiners: from a folder, from the true alpha, or from a segmenter."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.configs.settings import Config
from matte.errors import PictureError, SettingError
from matte.evaluation.pairs import DrawTrimap, is_folder, pictures_by_name, single_file
from matte.media.pictures import read_trimap
from matte.pipeline import steps
from matte.stages import Segmenter

# Alpha from which a pixel is all subject; its mirror is all background. The portraits of AISegment
# are 254 in many places inside the subject, and down to 250 in some.
MIN_SOLID_ALPHA = 250 / 255
MAX_MEAN_WIDTH = 256  # pixels: of a drawn band


@dataclass(frozen=True, slots=True)
class TrimapSource:
    """How a picture's trimap is made."""

    draw: DrawTrimap
    agrees_with_truth: bool = True
    """Whether alpha is certain to be 0 and 1 where the trimap knows it."""


def trimaps_from_folder(folder: Path) -> TrimapSource:
    """Return the trimaps of a folder, whose files have the pictures' names.

    Below 85 is background, from 170 subject.
    """
    if not is_folder(folder):
        raise PictureError(
            f"no folder {folder.name} in {folder.parent}",
            "name it with --trimap, or use --trimap-from-alpha 15",
        )
    known = pictures_by_name(folder)

    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        if name not in known:
            raise PictureError("it has no trimap", f"put one into {folder.name}")
        return read_trimap(single_file(known[name], "trimap"))

    return TrimapSource(draw)


def trimaps_from_alpha(width: int, seed: int = 0) -> TrimapSource:
    """Return trimaps whose unknown band is drawn around the soft parts of the true alpha.

    The solid subject and the background shrink by widths of their own, drawn for each picture from
    width / 3 … 2 width pixels: in a band of one width the middle
    would give the edge away.
    """
    if not 1 <= width <= MAX_MEAN_WIDTH:
        raise SettingError(f"trimaps {width} pixels wide", f"give 1 … {MAX_MEAN_WIDTH}")
    narrowest, widest = max(1, round(width / 3)), 2 * width

    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        # From the name, so that a picture has the same trimap in whatever company.
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        inner, outer = random.integers(narrowest, widest, size=2, endpoint=True)
        trimap = np.full(truth.shape, UNKNOWN, np.uint8)
        trimap[_depth(truth >= MIN_SOLID_ALPHA) > inner] = SUBJECT
        trimap[_depth(truth <= 1 - MIN_SOLID_ALPHA) > outer] = BACKGROUND
        return Trimap(trimap)

    return TrimapSource(draw)


def trimaps_from_segmenter(segmenter: Segmenter, config: Config) -> TrimapSource:
    """Return the trimaps that matte itself draws around the segmenter's subject, right or wrong."""

    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        found = steps.segment_photo(segmenter, image, config.segmentation.threshold)
        subject = steps.cut_subject(found, config.segmentation)
        return steps.draw(subject, config.trimap).trimap

    return TrimapSource(draw, agrees_with_truth=False)


def _depth(region: BoolArray) -> FloatArray:
    """Return each pixel's distance in the region to the nearest one outside; 0 outside."""
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    precise = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(precise, np.float32)
