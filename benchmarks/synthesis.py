"""Time that training samples take to make, on one core.

    python benchmarks/synthesis.py [--sizes 192 256] [--samples 200]
                                   [--json benchmarks/results/synthesis.json]

The pictures are made up, 640 × 800, as the time depends on their size and hardly on what they
show: discs with soft edges on smooth noise. "cpu_ms" is processor time for each sample, the median
over ten runs: neighbours on the machine disturb it less than the time on the wall. "photometric"
is the share of the torch part, for a batch of 16.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from matte.datasets.samples import Kind, Sample
from matte.runtime.threads import usable_threads
from matte.training.synthesis.matte_samples import MatteMix, MatteSamples
from matte.training.synthesis.noise import smooth_noise
from matte.training.synthesis.photometric import photometric
from matte.training.synthesis.refiner_samples import RefinerMix, RefinerSample, RefinerSamples

PACKAGES = ("numpy", "opencv-python-headless", "torch")
HEIGHT, WIDTH = 640, 800
RUNS = 10
BATCH = 16


def pictures(kind: Kind, count: int) -> list[Sample]:
    """Discs with edges of different softness."""
    made = []
    for seed in range(count):
        random = np.random.default_rng(seed)
        channels = [smooth_noise(HEIGHT, WIDTH, 12, random) for _ in range(3)]
        picture = np.clip(128 + 90 * np.dstack(channels), 0, 255).astype(np.uint8)
        truth = np.zeros((HEIGHT, WIDTH), np.uint8)
        if kind != "background":
            cv2.circle(truth, (WIDTH // 2, HEIGHT // 2), 200, 255, -1)
        if kind in ("alpha", "cutout"):
            truth = np.asarray(cv2.GaussianBlur(truth, (0, 0), 1 + seed), np.uint8)
        made.append(Sample(f"{kind}{seed}", kind, picture, truth))
    return made


def cpu_ms(make: Callable[[], Any], count: int) -> float:
    """Milliseconds of processor time for each of `count` calls, the median over the runs."""
    make()
    each = max(1, count // RUNS)
    found = []
    for _ in range(RUNS):
        start = time.process_time()
        for _ in range(each):
            make()
        found.append(1000 * (time.process_time() - start) / each)
    return round(statistics.median(found), 2)


def sample_ms(samples: RefinerSamples | MatteSamples, side: int, count: int) -> dict[str, Any]:
    """Milliseconds for a sample of each kind and of the mix."""
    size, random = (side, side), np.random.default_rng(0)
    row: dict[str, Any] = {"samples": type(samples).__name__, "size": side}
    for kind in samples.shares:
        row[f"{kind} cpu_ms"] = cpu_ms(partial(samples.sample_of, kind, size, random), count)
    row["mix cpu_ms"] = cpu_ms(partial(samples.sample, size, random), count)
    return row


def photometric_ms(drawn: list[RefinerSample], count: int) -> float:
    """Milliseconds for each sample."""
    names = ("foreground", "background", "alpha")
    batch = {n: torch.from_numpy(np.stack([getattr(s, n) for s in drawn])) for n in names}
    batch["layered"] = torch.tensor([s.layered for s in drawn])
    batch["seed"] = torch.tensor(1)
    return round(cpu_ms(lambda: photometric(batch), max(RUNS, count // len(drawn))) / len(drawn), 2)


def main() -> None:
    """Measures, prints, writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[192, 256])
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    kinds: tuple[Kind, ...] = ("alpha", "cutout", "mask", "background")
    groups = [pictures(kind, 6) for kind in kinds]
    refiner = RefinerSamples(groups[0], groups[1], groups[2], groups[3], RefinerMix())
    matte = MatteSamples(groups[0], groups[1], groups[2], groups[3], MatteMix())
    rows = []
    for side in options.sizes:
        drawn = [refiner.sample((side, side), np.random.default_rng(i)) for i in range(BATCH)]
        row = sample_ms(refiner, side, options.samples)
        rows.append({**row, "photometric cpu_ms": photometric_ms(drawn, options.samples)})
        rows.append(sample_ms(matte, side, options.samples))
        print(*rows[-2:], sep="\n", flush=True)
    result = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {usable_threads()} cores, one used",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "samples": options.samples,
        "rows": rows,
    }
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
