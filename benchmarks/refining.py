"""One picture refined in a process of its own, which may take only so much.

    python benchmarks/refining.py WAY PICTURE TRIMAP TOLD.json [--truth ALPHA]
                                  [--times 2] [--seconds 300] [--gib 16]

WAY is auto, off or a tile's side (gca-slim as matte runs it), closed-form (PyMatting), torch
(gca-slim on the whole picture, its attention calculated step by step), or line: the whole of
`balanced`, which makes its own trimap. Writes how long it took, each time that it was done.
"""

import argparse
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import matte
from matte.arrays import SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.configs.settings import Config, RefinerSettings
from matte.files import write_file
from matte.media.pictures import read_alpha, read_image, read_trimap
from matte.metrics.mattes import mad, sad
from matte.pipeline.build import build_refiner
from matte.refiner.gca import NO_BORDER
from matte.refiner.protocols import network_inputs, pad_for_network
from matte.stages import NO_CONTEXT, RefineContext, Refined, Refiner
from matte.weights.store import stored

NETWORK = "gca-slim"
QUERIES = 1024  # places that look around at a time


class StepwiseWhole:
    """A refiner in torch that sees any picture whole: memory grows with it, not with its square."""

    network = None

    def __init__(self) -> None:
        from matte.conversion.returning import from_onnx
        from matte.refiner.attention import GuidedAttention

        self._network = from_onnx(stored(NETWORK).path).runs
        for module in self._network.modules():
            if isinstance(module, GuidedAttention):
                module.queries = QUERIES

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        import torch

        whole = pad_for_network(image, trimap, NO_BORDER)
        given = network_inputs(whole.image, whole.trimap)
        names = ("image", "trimap", "unknown_ratio")
        with torch.inference_mode():
            values = self._network(*(torch.from_numpy(given[name]) for name in names))
        alpha = np.clip(whole.crop(values.numpy()[0, 0]), 0, 1)
        known = (trimap == SUBJECT).astype(np.float32)
        return Refined(Alpha(np.where(trimap == UNKNOWN, alpha, known)))


def refiner(way: str) -> Refiner:
    """The refiner of that name."""
    if way == "torch":
        return StepwiseWhole()
    if way == "closed-form":
        return build_refiner(Config(refiner=RefinerSettings(way)))
    tile: Any = int(way) if way.isdigit() else way
    return build_refiner(Config(refiner=RefinerSettings(NETWORK, tile)))


def limit(seconds: float, gib: float) -> None:
    """Ends the process when it takes more, and says so."""
    most = int(gib * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))

    def end() -> None:
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"over {seconds:.0f} s, {held:.1f} GiB by then", file=sys.stderr, flush=True)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def refine(way: str, image: Image, trimap: Trimap, times: int) -> tuple[Alpha, dict[str, Any]]:
    """The alpha, and how long it took."""
    chosen = refiner(way)
    told: dict[str, Any] = {"ms": []}
    for _ in range(times):
        start = time.perf_counter()
        refined = chosen.refine(image, trimap)
        alpha, told["refined"] = refined.alpha, refined.report
        told["ms"].append(round(1000 * (time.perf_counter() - start), 1))
    return alpha, told


def run_line(picture: Path, times: int) -> dict[str, Any]:
    """How long `balanced` takes for a picture, again and again."""
    pipeline = matte.load("balanced")
    image = read_image(picture)
    told: dict[str, Any] = {"ms": [], "stages_ms": []}
    for _ in range(times):
        start = time.perf_counter()
        found = pipeline(image)
        told["ms"].append(round(1000 * (time.perf_counter() - start), 1))
        told["stages_ms"].append(found.report["ms"])
    return told


def main() -> None:
    """Refines, writes what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way")
    parser.add_argument("picture", type=Path)
    parser.add_argument("trimap", type=Path)
    parser.add_argument("told", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--gib", type=float, default=16)
    given = parser.parse_args()
    if given.seconds:
        limit(given.seconds, given.gib)
    if given.way == "line":
        told = run_line(given.picture, given.times)
    else:
        image, trimap = read_image(given.picture), read_trimap(given.trimap)
        alpha, told = refine(given.way, image, trimap, given.times)
        unknown = trimap == UNKNOWN
        assert (alpha[~unknown] == trimap[~unknown] / np.float32(SUBJECT)).all(), given.way
        assert np.isfinite(alpha).all(), given.way
        told["unknown"] = round(float(unknown.mean()), 5)
        if given.truth:
            truth = read_alpha(given.truth)
            told["sad"] = round(sad(alpha, truth, unknown), 3)
            told["mad"] = round(mad(alpha, truth, unknown), 5)
    write_file(given.told, (json.dumps(told) + "\n").encode(), overwrite=True)


if __name__ == "__main__":
    main()
