"""How wide the unknown band should be: kernels of one width against the segmenter's doubt.

    python benchmarks/auto_width.py --data DATA [--pictures 3]
                                    [--json benchmarks/results/auto_width.json]

DATA is the folder that `matte train` was given. Portraits with true alpha, and cut-outs on photos,
go the default line's way with each band, and each alpha is also limited by the confidence, so that
a kernel has what "auto" has. "held back" are the portraits that neither network was trained on; the
cut-outs were trained on, on other grounds. `sad`: of the whole picture, in thousands. `recall`: the
share of truly soft pixels that the band holds; `soft_mse`: the error at them. Ratios are those of
means, auto / kernel, with paired bootstrap intervals.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from held_back import held_back

from matte.arrays import UNKNOWN, Alpha, Confidence, Image, as_alpha, as_image
from matte.compositing.composer import composite
from matte.configs.loader import merge_settings
from matte.configs.settings import TrimapSettings
from matte.datasets.layouts import list_set
from matte.datasets.reading import read
from matte.metrics.intervals import ratio_of_means
from matte.pipeline.build import build_refiner, build_segmenter
from matte.refiner.confidence_limits import limit_by_confidence
from matte.segmentation.masks import make_mask
from matte.stages import Refiner
from matte.trimap.drawing import draw_trimap

PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "openvino")
NETWORKS = ("person", "gca-slim")
PORTRAITS = "matting_gt/aisegment60"
CUTOUTS = ("matting_fg_rgba/davidg200", "cutouts")
GROUNDS = ("backgrounds/bsds", "backgrounds")
COMPOSED = 40
FRAME = 40  # pixels around a cut-out, but for below
KERNELS = [(k, times) for k in (3, 5, 7, 9, 13) for times in (2, 4, 6)]
SOFT = (0.05, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A picture, its true alpha and what the segmenter says."""

    name: str
    group: str
    image: Image
    truth: Alpha
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Row:
    """What one band did to one picture."""

    picture: str
    group: str
    band: str
    belief: bool
    sad: float
    soft_mse: float
    recall: float
    unknown: float
    ms: float  # of mask, band and refiner


def pictures(data: Path, limit: int) -> Iterator[tuple[str, str, Image, Alpha]]:
    """Name, group, picture and alpha: the portraits, then the cut-outs on photos."""
    held = [
        {
            e.name
            for found in held_back(name, data)
            if found.name == PORTRAITS
            for e in found.entries
        }
        for name in NETWORKS
    ]
    unseen = set.intersection(*held)
    for entry in list_set(data / PORTRAITS, "auto").entries[: limit or None]:
        sample = read(entry)
        group = "held back" if entry.name in unseen else "trained on"
        yield entry.name, group, as_image(sample.picture), as_alpha(sample.truth)
    cutouts, grounds = (
        list_set(data / name, layout).entries for name, layout in (CUTOUTS, GROUNDS)
    )
    step = max(1, len(cutouts) // COMPOSED)
    for i, entry in enumerate(cutouts[::step][: limit or COMPOSED]):
        sample = read(entry)
        sides = (FRAME, 0, FRAME, FRAME)
        subject = cv2.copyMakeBorder(sample.picture, *sides, cv2.BORDER_REPLICATE)
        alpha = as_alpha(cv2.copyMakeBorder(sample.truth, *sides, cv2.BORDER_CONSTANT))
        photo = read(grounds[7 * i % len(grounds)]).picture
        ground = cv2.resize(photo, alpha.shape[::-1], interpolation=cv2.INTER_AREA)
        image = composite(as_image(subject), alpha, as_image(ground))
        yield entry.name, "cut-outs", image, alpha


def rows_of(case: Case, bands: dict[str, TrimapSettings], refiner: Refiner) -> Iterator[Row]:
    """A row for each band, without `limit_by_confidence` and with it."""
    config = merge_settings("balanced").config.segmentation
    soft = (case.truth > SOFT[0]) & (case.truth < SOFT[1])
    for name, settings in bands.items():
        start = time.perf_counter()
        mask = make_mask(case.confidence, config)
        trimap = draw_trimap(mask, case.confidence, settings).trimap
        refined = refiner.refine(case.image, trimap).alpha
        ms = 1000 * (time.perf_counter() - start)
        unknown = trimap == UNKNOWN
        for belief in (False, True):
            alpha = refined
            if belief:
                alpha = limit_by_confidence(refined, trimap, case.confidence, config.threshold)
            apart = alpha - case.truth
            yield Row(
                case.name,
                case.group,
                name,
                belief,
                float(np.abs(apart).sum()) / 1000,
                float((apart[soft] ** 2).mean()) if soft.any() else 0.0,
                float(unknown[soft].mean()) if soft.any() else 1.0,
                float(unknown.mean()),
                ms,
            )


def summary(rows: list[Row]) -> list[dict[str, Any]]:
    """Means for each group, band and belief; the portraits also all together."""
    table = []
    groups = {
        "portraits": ("held back", "trained on"),
        "held back": ("held back",),
        "cut-outs": ("cut-outs",),
    }
    for group, parts in groups.items():
        inside = [row for row in rows if row.group in parts]
        for band, belief in dict.fromkeys((row.band, row.belief) for row in inside):
            each = [r for r in inside if (r.band, r.belief) == (band, belief)]
            means = {
                name: round(statistics.mean(getattr(r, name) for r in each), 5)
                for name in ("sad", "soft_mse", "recall", "unknown")
            }
            median = round(statistics.median(r.sad for r in each), 4)
            table.append(
                {"group": group, "band": band, "believed": belief, "n": len(each), **means}
                | {
                    "sad_median": median,
                    "ms_median": round(statistics.median(r.ms for r in each), 1),
                }
                | {"auto_over_it": _against(inside, band, belief)}
            )
    return table


def _against(rows: list[Row], band: str, belief: bool) -> list[float] | None:
    auto = {r.picture: r.sad for r in rows if r.band == "auto" and r.belief}
    other = {r.picture: r.sad for r in rows if (r.band, r.belief) == (band, belief)}
    found = ratio_of_means(list(auto.values()), [other[name] for name in auto])
    return None if found is None else [round(v, 4) for v in (found.value, found.low, found.high)]


def by_picture(rows: list[Row]) -> dict[str, dict[str, float]]:
    """What the means are made of: each picture's SAD, by band."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        band = f"{row.band}, believed" if row.belief else row.band
        found.setdefault(band, {})[row.picture] = round(row.sad, 3)
    return found


def main() -> None:
    """Measures, prints, writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    config = merge_settings("balanced", None, {"threads": 1}).config
    segmenter, refiner = build_segmenter(config), build_refiner(config)
    bands = {f"k = {k}, {n} times": TrimapSettings(k=k, iterations=n) for k, n in KERNELS}
    bands["auto"] = TrimapSettings(k="auto")
    rows: list[Row] = []
    for name, group, image, truth in pictures(options.data, options.pictures):
        case = Case(name, group, image, truth, segmenter.segment(image).confidence)
        rows += rows_of(case, bands, refiner)
        print(name, group, flush=True)
    table = summary(rows)
    for row in table:
        print(row)
    result = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, 1 thread",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "networks": NETWORKS,
        "table": table,
        "sad": by_picture(rows),
    }
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
