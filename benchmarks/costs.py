"""How long the segmenters and refiners take: the model behind --budget-ms.

    python benchmarks/costs.py [--threads 2] [--repeats 5]

Runs every shipped segmenter, every shipped refiner network and the refiners without networks on a
drawn portrait of several sizes and bands, fits ms = fixed + a·MP + b·MP² + c·unknown MP to the
medians (no coefficient below 0, relative errors), prints how far the fit is off, and writes
matte/pipeline/costs.json.
"""

import json
from dataclasses import asdict, replace
from functools import partial
from itertools import combinations

import harness
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
from matte.weights.store import all_weights, storage_status

SIDES = ((384, 288), (512, 512), (800, 600), (1280, 720), (1920, 1080))
REACHES = (0.01, 0.04)  # of the long side
Doubles = NDArray[np.float64]


def main() -> None:
    """Measure, fit, print, write."""
    parser = harness.parser(__doc__, data=False)
    parser.set_defaults(json=COSTS_FILE)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    config = merge_settings("balanced", None, {"threads": options.threads}).config
    kinds = {name: w.kind for name, w in all_weights().items() if storage_status(w) == "shipped"}
    found = {
        name: segmenter_cost(name, config, options.repeats)
        for name, kind in kinds.items()
        if kind == "segmenter"
    }
    refiners = [name for name, kind in kinds.items() if kind == "refiner"]
    for name in (*refiners, "guided", "closed-form", "smooth"):
        found[name] = refiner_cost(name, config, options.repeats)
    rows = {name: {k: v for k, v in asdict(cost).items() if v} for name, cost in found.items()}
    write_file(options.json, (json.dumps(rows, indent=2) + "\n").encode(), overwrite=True)


def segmenter_cost(name: str, config: Config, repeats: int) -> Cost:
    """Return a segmenter's cost, about the same for all pictures: it sees them at its own size."""
    segmenter = build_segmenter(replace(config, segmentation=SegmentationSettings(name)))
    image, _ = drawn_portrait(800, 600)
    ms = harness.time_call(partial(segmenter.segment, image), repeats).median
    print(f"{name}: {ms:.0f} ms")
    return Cost(fixed=round(ms, 1))


def refiner_cost(name: str, config: Config, repeats: int) -> Cost:
    """Return a refiner's cost, fitted over sizes and bands."""
    refiner = build_refiner(replace(config, refiner=RefinerSettings(name)))
    rows: list[tuple[float, float, float]] = []
    for height, width in SIDES:
        image, mask = drawn_portrait(height, width)
        for reach in REACHES:
            trimap = even_band(mask, reach * max(height, width))
            ms = harness.time_call(partial(refiner.refine, image, trimap), repeats).median
            megas = trimap.size / PIXELS_PER_MEGAPIXEL
            rows.append((megas, megas * unknown_share(trimap), ms))
    megapixels, unknown, times = np.array(rows).T
    terms = np.stack([np.ones_like(megapixels), megapixels, megapixels**2, unknown])
    factors = fit_factors(terms, times)
    cost = Cost(*(round(float(factor), 2) for factor in factors))
    off = np.abs(factors @ terms / times - 1)
    print(f"{name}: {cost}; off by {np.median(off):.0%}, at most {off.max():.0%}", flush=True)
    return cost


def drawn_portrait(height: int, width: int) -> tuple[Image, Mask]:
    """Return a head and shoulders in noise, and their mask."""
    y, x = np.mgrid[:height, :width]
    head = np.hypot((y - 0.35 * height) / 0.22, (x - 0.5 * width) / 0.2) < min(height, width)
    body = np.hypot((y - 1.0 * height) / 0.45, (x - 0.5 * width) / 0.4) < min(height, width)
    subject = head | body
    noise = np.random.default_rng(0).integers(0, 90, (height, width, 3))
    image = (noise + np.where(subject[:, :, None], 150, 10)).astype(np.uint8)
    return Image(image), Mask(np.where(subject, np.uint8(255), np.uint8(0)))


def fit_factors(terms: Doubles, times: Doubles) -> Doubles:
    """Return the factors, none below 0, that come nearest to the times by relative error."""
    best, lowest_error = np.zeros(len(terms)), np.inf
    for count in range(1, len(terms) + 1):
        for chosen in combinations(range(len(terms)), count):
            part = (terms[list(chosen)] / times).T
            factors = np.linalg.lstsq(part, np.ones(len(times)), rcond=None)[0]
            error = float(np.square(part @ factors - 1).sum())
            if (factors >= 0).all() and error < lowest_error:
                best, lowest_error = np.zeros(len(terms)), error
                best[list(chosen)] = factors
    return best


if __name__ == "__main__":
    main()
