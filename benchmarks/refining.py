"""Refine one picture in a process of its own, with limits on its time and memory.

    python benchmarks/refining.py METHOD PICTURE TRIMAP RESULT.json [--truth ALPHA]
                                  [--times 2] [--seconds 300] [--gib 16]

METHOD is auto, off or a tile's side (gca-slim as matte runs it), closed-form (PyMatting), torch
(gca-slim on the whole picture, its attention computed step by step), or line: the whole of
`balanced`, which makes its own trimap. Writes how long each of the runs took.
"""

import os
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy as np
from harness import Row
from large import WholePictureRefiner

import matte
from matte.arrays import SUBJECT, UNKNOWN
from matte.configs.settings import Config, RefinerSettings
from matte.media.pictures import read_alpha, read_image, read_trimap
from matte.metrics.mattes import mad, sad
from matte.pipeline.build import build_refiner
from matte.stages import Refined, Refiner

NETWORK = "gca-slim"


def main() -> None:
    """Refine, write what it took."""
    parser = harness.parser(__doc__, data=False)
    parser.add_argument("method")
    for name in ("picture", "trimap", "result"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--gib", type=float, default=16)
    options = parser.parse_args()
    if options.seconds:
        limit_process(options.seconds, options.gib)
    if options.method == "line":
        report = run_line(options.picture, options.times)
    else:
        report = run_refiner(options)
    harness.write(options.result, report)


def run_refiner(options: Any) -> Row:
    """Return what the refinement took, and its errors where the truth is known."""
    image, trimap = read_image(options.picture), read_trimap(options.trimap)
    refiner = refiner_of(options.method)
    report, found = time_runs(lambda: refiner.refine(image, trimap), options.times)
    refined: Refined = found[-1]
    unknown = trimap == UNKNOWN
    known = trimap[~unknown] / np.float32(SUBJECT)
    assert (refined.alpha[~unknown] == known).all(), options.method
    assert np.isfinite(refined.alpha).all(), options.method
    report |= {"refined": refined.report, "unknown": round(float(unknown.mean()), 5)}
    if options.truth:
        truth = read_alpha(options.truth)
        report["sad"] = round(sad(refined.alpha, truth, unknown), 3)
        report["mad"] = round(mad(refined.alpha, truth, unknown), 5)
    return report


def run_line(picture: Path, times: int) -> Row:
    """Return how long `balanced` takes for a picture, again and again."""
    pipeline = matte.load("balanced")
    image = read_image(picture)
    report, found = time_runs(lambda: pipeline(image), times)
    return {**report, "stages_ms": [each.report["ms"] for each in found]}


def time_runs(call: Callable[[], Any], times: int) -> tuple[Row, list[Any]]:
    """Return the milliseconds of each run, the first one included, and what the runs returned."""
    results: list[Any] = []
    calls = [
        harness.time_call(lambda: results.append(call()), runs=1, warm_up=0) for _ in range(times)
    ]
    return {"ms": [round(ms.median, 1) for ms in calls]}, results


def refiner_of(method: str) -> Refiner:
    """Return the refiner of that name."""
    if method == "torch":
        return WholePictureRefiner()
    if method == "closed-form":
        return build_refiner(Config(refiner=RefinerSettings(method)))
    tile: Any = int(method) if method.isdigit() else method
    return build_refiner(Config(refiner=RefinerSettings(NETWORK, tile)))


def limit_process(seconds: float, gib: float) -> None:
    """End the process with a message when it takes more."""
    limit = int(gib * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def end() -> None:
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"over {seconds:.0f} s, {held:.1f} GiB by then", file=sys.stderr, flush=True)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main()
