"""How long the segmenters and refiners take: the model behind --budget-ms.

    python benchmarks/costs.py [--threads 2] [--repeats 5]

Runs every shipped segmenter, every shipped refiner network and the refiners without networks on a
drawn portrait of several sizes and bands, fits ms = fixed + a·MP + b·MP² + c·unknown MP to the
medians (no coefficient below 0, relative errors), prints how far the fit is off, and writes
matte/pipeline/costs.json.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Image, Mask
from matte.configs.loader import merge_settings
from matte.configs.settings import Config, RefinerSettings, SegmentationSettings
from matte.files import write_file
from matte.pipeline.budget import COSTS_FILE, PIXELS_PER_MEGAPIXEL, Cost
from matte.pipeline.build import build_refiner, build_segmenter
from matte.trimap.drawing import unknown_share
from matte.trimap.reach import even_band
from matte.weights.store import all_weights, place

SIDES = ((384, 288), (512, 512), (800, 600), (1280, 720), (1920, 1080))
REACHES = (0.01, 0.04)  # of the long side
Floats = NDArray[np.float64]


def main() -> None:
    """Measures, fits, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    config = merge_settings("balanced", None, {"threads": given.threads}).config
    found = {}
    shipped = {name: w.kind for name, w in all_weights().items() if place(w) == "shipped"}
    for name, kind in shipped.items():
        if kind == "segmenter":
            found[name] = segmenter_cost(name, config, given.repeats)
    refiners = [name for name, kind in shipped.items() if kind == "refiner"]
    for name in (*refiners, "guided", "closed-form", "smooth"):
        found[name] = refiner_cost(name, config, given.repeats)
    rows = {name: {k: v for k, v in asdict(cost).items() if v} for name, cost in found.items()}
    write_file(COSTS_FILE, (json.dumps(rows, indent=2) + "\n").encode(), overwrite=True)


def segmenter_cost(name: str, config: Config, repeats: int) -> Cost:
    """What a segmenter takes: nearly the same for all pictures, which it sees at its own size."""
    segmenter = build_segmenter(replace(config, segmentation=SegmentationSettings(name)))
    image, _ = portrait(800, 600)
    cost = Cost(fixed=median_ms(lambda: segmenter.segment(image), repeats))
    print(f"{name}: {cost.fixed:.0f} ms")
    return cost


def refiner_cost(name: str, config: Config, repeats: int) -> Cost:
    """What a refiner takes, fitted over sizes and bands."""
    refiner = build_refiner(replace(config, refiner=RefinerSettings(name)))
    rows: list[tuple[float, float, float]] = []
    for height, width in SIDES:
        for reach in REACHES:
            image, mask = portrait(height, width)
            trimap = even_band(mask, reach * max(height, width))
            ms = median_ms(lambda i=image, t=trimap: refiner.refine(i, t), repeats)  # type: ignore[misc]  # bound now
            whole = trimap.size / PIXELS_PER_MEGAPIXEL
            rows.append((whole, whole * unknown_share(trimap), ms))
    megas, unknown, times = np.array(rows).T
    factors = fitted(np.stack([np.ones_like(megas), megas, megas**2, unknown]), times)
    fixed, pixels, square, unsure = (round(float(f), 2) for f in factors)
    cost = Cost(fixed, pixels, square, unsure)
    model = factors @ np.stack([np.ones_like(megas), megas, megas**2, unknown])
    off = np.abs(model / times - 1)
    print(f"{name}: {cost}; off by {np.median(off):.0%}, at most {off.max():.0%}")
    return cost


def portrait(height: int, width: int) -> tuple[Image, Mask]:
    """A head and shoulders in noise, and their mask."""
    y, x = np.mgrid[:height, :width]
    head = np.hypot((y - 0.35 * height) / 0.22, (x - 0.5 * width) / 0.2) < min(height, width)
    body = np.hypot((y - 1.0 * height) / 0.45, (x - 0.5 * width) / 0.4) < min(height, width)
    subject = head | body
    noise = np.random.default_rng(0).integers(0, 90, (height, width, 3))
    image = (noise + np.where(subject[:, :, None], 150, 10)).astype(np.uint8)
    return Image(image), Mask(np.where(subject, np.uint8(255), np.uint8(0)))


def median_ms(run: Callable[[], object], repeats: int) -> float:
    """The median of some runs after a first one that does not count."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return round(float(np.median(times)), 1)


def fitted(terms: Floats, times: Floats) -> Floats:
    """The factors, none below 0, that come nearest to the times by relative error."""
    best, least = np.zeros(len(terms)), np.inf
    for count in range(1, len(terms) + 1):
        for chosen in combinations(range(len(terms)), count):
            part = (terms[list(chosen)] / times).T
            factors = np.linalg.lstsq(part, np.ones(len(times)), rcond=None)[0]
            error = float(np.square(part @ factors - 1).sum())
            if (factors >= 0).all() and error < least:
                best, least = np.zeros(len(terms)), error
                best[list(chosen)] = factors
    return best


if __name__ == "__main__":
    main()
