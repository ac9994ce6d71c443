"""How wide the unknown band should be: kernels of one width against the segmenter's uncertainty.

    python benchmarks/auto_width.py DATA [--pictures 3] [--json benchmarks/results/auto_width.json]

Portraits with true alpha, and cut-outs on photos, go through the default line with each band, and
each alpha is also limited by confidence, so that a kernel has what "auto" has. "held
back" are the portraits that neither network was trained on; the cut-outs were trained on, on other
grounds. `sad`: of the whole picture, in thousands. `recall`: the share of truly soft pixels inside
the band; `soft_mse`: the error at them. Ratios are those of means, auto / kernel, with paired
bootstrap intervals.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row
from held_back import held_back
from scenes import CUTOUTS, PORTRAITS, entries_of, scenes

from matte.arrays import UNKNOWN, Alpha, Confidence, Image, as_alpha, as_image
from matte.configs.loader import merge_settings
from matte.configs.settings import TrimapSettings
from matte.datasets.reading import read_sample
from matte.metrics.intervals import ratio_of_means
from matte.pipeline.build import build_refiner, build_segmenter
from matte.refiner.confidence_limits import limit_by_confidence
from matte.segmentation.masks import make_mask
from matte.stages import Refiner
from matte.trimap.drawing import draw_trimap

NETWORKS = ("person", "gca-slim")
COMPOSED = 40  # cut-outs
KERNELS = [(k, times) for k in (3, 5, 7, 9, 13) for times in (2, 4, 6)]
SOFT = (0.05, 0.95)
GROUPS = {
    "portraits": ("held back", "trained on"),
    "held back": ("held back",),
    "cut-outs": ("cut-outs",),
}
MEANS = ("sad", "soft_mse", "recall", "unknown")


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedPicture:
    """A picture, its true alpha and the segmenter's confidence."""

    name: str
    group: str
    image: Image
    truth: Alpha
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class BandScore:
    """What one band did to one picture; `ms`: of mask, band and refiner."""

    picture: str
    group: str
    band: str
    is_limited: bool
    sad: float
    soft_mse: float
    recall: float
    unknown: float
    ms: float


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__)
    parser.add_argument("--pictures", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    config = merge_settings("balanced", None, {"threads": 1}).config
    segmenter, refiner = build_segmenter(config), build_refiner(config)
    bands = {f"k = {k}, {n} times": TrimapSettings(k=k, iterations=n) for k, n in KERNELS}
    bands["auto"] = TrimapSettings(k="auto")
    scores: list[BandScore] = []
    for name, group, image, truth in known_alphas(options.data, options.pictures):
        picture = SegmentedPicture(name, group, image, truth, segmenter.segment(image).confidence)
        scores += band_scores(picture, bands, refiner)
        print(name, group, flush=True)
    table = mean_rows(scores)
    harness.show(table)
    report = {"networks": NETWORKS, "table": table, "sad": sad_by_picture(scores)}
    harness.write(options.json, report)


def known_alphas(data: Path, count: int) -> Iterator[tuple[str, str, Image, Alpha]]:
    """Yield name, group, picture and alpha: the portraits, then the cut-outs on photos."""
    held = [
        {e.name for part in held_back(n, data) if part.name == PORTRAITS[0] for e in part.entries}
        for n in NETWORKS
    ]
    untrained = set.intersection(*held)
    for entry in entries_of(data, PORTRAITS)[: count or None]:
        sample = read_sample(entry)
        group = "held back" if entry.name in untrained else "trained on"
        yield entry.name, group, as_image(sample.picture), as_alpha(sample.truth)
    for scene in scenes(data, CUTOUTS, count or COMPOSED):
        yield scene.name, "cut-outs", scene.image, scene.alpha


def band_scores(
    picture: SegmentedPicture, bands: dict[str, TrimapSettings], refiner: Refiner
) -> Iterator[BandScore]:
    """Yield a score for each band, without `limit_by_confidence` and with it."""
    config = merge_settings("balanced").config.segmentation
    soft = (picture.truth > SOFT[0]) & (picture.truth < SOFT[1])
    for name, settings in bands.items():
        start = time.perf_counter()
        mask = make_mask(picture.confidence, config)
        trimap = draw_trimap(mask, picture.confidence, settings).trimap
        refined = refiner.refine(picture.image, trimap).alpha
        ms = 1000 * (time.perf_counter() - start)
        unknown = trimap == UNKNOWN
        limited = limit_by_confidence(refined, trimap, picture.confidence, config.threshold)
        for is_limited, alpha in ((False, refined), (True, limited)):
            apart = alpha - picture.truth
            yield BandScore(
                picture.name,
                picture.group,
                name,
                is_limited,
                sad=float(np.abs(apart).sum()) / 1000,
                soft_mse=float((apart[soft] ** 2).mean()) if soft.any() else 0.0,
                recall=float(unknown[soft].mean()) if soft.any() else 1.0,
                unknown=float(unknown.mean()),
                ms=ms,
            )


def mean_rows(scores: list[BandScore]) -> list[Row]:
    """Return means for each group, band and belief; the portraits also all together."""
    rows: list[Row] = []
    for group, parts in GROUPS.items():
        inside = [score for score in scores if score.group in parts]
        for band, is_limited in dict.fromkeys((s.band, s.is_limited) for s in inside):
            each = [s for s in inside if (s.band, s.is_limited) == (band, is_limited)]
            row: Row = {"group": group, "band": band, "believed": is_limited, "n": len(each)}
            row |= harness.means([{name: getattr(s, name) for name in MEANS} for s in each], 5)
            row["sad_median"] = round(statistics.median(s.sad for s in each), 4)
            row["ms_median"] = round(statistics.median(s.ms for s in each), 1)
            auto = [s.sad for s in inside if s.band == "auto" and s.is_limited]
            found = ratio_of_means(auto, [s.sad for s in each])
            row["auto_over_it"] = found and [
                round(value, 4) for value in (found.value, found.low, found.high)
            ]
            rows.append(row)
    return rows


def sad_by_picture(scores: list[BandScore]) -> dict[str, dict[str, float]]:
    """Return what the means are made of: each picture's SAD, by band."""
    found: dict[str, dict[str, float]] = {}
    for score in scores:
        band = f"{score.band}, believed" if score.is_limited else score.band
        found.setdefault(band, {})[score.picture] = round(score.sad, 3)
    return found


if __name__ == "__main__":
    main()
