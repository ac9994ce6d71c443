"""Make the mattes that the recipe `gca-slim` trains on besides true ones: solved, on plain grounds.

    python benchmarks/solved_mattes.py RAW OUT

RAW holds sets of pictures with masks, by the recipes' folders: subjects/eg1800, subjects/ecssd,
subjects/horse, labels/people_animals. Where what surrounds a subject is smooth, closed-form matting
solves the band around its mask nearly exactly: such pictures and their alphas go to OUT/input and
OUT/gt. Left out are textured surroundings, and alphas that disagree with the mask, that leave haze
at the band's rim or holes at its inner one, or that stay half transparent far outside the mask.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.media.encoding import encode_alpha
from matte.refiner.closed_form import ClosedForm

SETS = ("subjects/eg1800", "subjects/ecssd", "subjects/horse", "labels/people_animals")
LONGEST = 800  # pixels
BAND_SHARE, INSIDE, OUTSIDE = 0.022, 0.7, 1.3  # of the long side; of that: how far the band goes
MIN_SHARE, MAX_SHARE = 0.03, 0.85  # of the picture, that the subject covers
MIN_GROUND = 2000  # pixels of plain ground that must lie around the band
MAX_TEXTURE = 4.0  # levels: how far most of the ground may lie from its blurred self
MAX_HAZE, MAX_HOLES, MAX_FAR_SHARE, MIN_IOU = 0.011, 0.021, 0.15, 0.954


@dataclass(frozen=True, slots=True)
class Band:
    """A subject's mask with the distances from its edge, in pixels; `width` is the band's unit."""

    mask: NDArray[np.bool_]
    inside: NDArray[np.float32]
    outside: NDArray[np.float32]
    width: int

    @property
    def trimap(self) -> Trimap:
        """What is known: all but a band along the edge."""
        known = np.full(self.mask.shape, UNKNOWN, np.uint8)
        known[self.inside > INSIDE * self.width] = SUBJECT
        known[self.outside > OUTSIDE * self.width] = BACKGROUND
        return Trimap(known)


def main() -> None:
    """Solve every set's pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    for kind in ("input", "gt"):
        (options.out / kind).mkdir(parents=True, exist_ok=True)
    for folder in SETS:
        if (options.raw / folder).is_dir():
            print(f"{folder}: {solve_set(options.raw / folder, options.out)} solved")


def solve_set(folder: Path, out: Path) -> int:
    """Write a set's clean mattes, and return how many there are."""
    kept = 0
    for entry in list_set(folder, "pairs").entries:
        sample = read_sample(entry, LONGEST)
        alpha = solve(Image(sample.picture), sample.truth == SUBJECT)
        if alpha is None:
            continue
        kept += 1
        name = f"{folder.name}_{entry.name}"
        cv2.imwrite(
            str(out / "input" / f"{name}.jpg"),
            cv2.cvtColor(sample.picture, cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, 97],
        )
        (out / "gt" / f"{name}.png").write_bytes(encode_alpha(alpha, ".png"))
    return kept


def solve(picture: Image, mask: NDArray[np.bool_]) -> Alpha | None:
    """Return the alpha of a subject on a plain ground; None for others and where it isn't clean."""
    if not MIN_SHARE < mask.mean() < MAX_SHARE:
        return None
    inside, outside = (
        np.asarray(cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
        for part in (mask, ~mask)
    )
    band = Band(mask, inside, outside, max(8, int(BAND_SHARE * max(mask.shape))))
    trimap = band.trimap
    if not is_plain(picture, band) or not (trimap == SUBJECT).any():
        return None
    alpha = ClosedForm().refine(picture, trimap).alpha
    return alpha if is_clean(alpha, band) else None


def is_plain(picture: Image, band: Band) -> bool:
    """Whether what surrounds the band is smooth."""
    ground = (band.outside > band.width) & (band.outside < 4 * band.width)
    if ground.sum() < MIN_GROUND:
        return False
    levels = picture.astype(np.float32)
    texture = np.abs(levels - cv2.GaussianBlur(levels, (0, 0), 3)).max(axis=2)
    return bool(np.percentile(texture[ground], 85) <= MAX_TEXTURE)


def is_clean(alpha: Alpha, band: Band) -> bool:
    """Whether a solved alpha is like its mask, and ends before the band does."""
    rim = (band.outside > band.width) & (band.outside <= OUTSIDE * band.width)
    core = (band.inside > 0.45 * band.width) & (band.inside <= INSIDE * band.width)
    far = (band.outside > 0.6 * band.width) & (band.outside <= OUTSIDE * band.width)
    half = (alpha > 0.1) & (alpha < 0.9)
    found = alpha > 0.5
    return bool(
        alpha[rim].mean() <= MAX_HAZE
        and (1 - alpha[core]).mean() <= MAX_HOLES
        and half[far].mean() <= MAX_FAR_SHARE
        and (found & band.mask).sum() >= MIN_IOU * (found | band.mask).sum()
    )


if __name__ == "__main__":
    main()
