"""Every way to run the shipped networks here: how near it is to torch, and how fast.

    python benchmarks/runtimes.py [NAME…] [--picture P.png --trimap T.png] [--json FILE]

Parity: on the sample portrait, each way against torch in float32 with the same weights. Speed: at
the network's size and at 320 pixels, in turns, medians, as ratios to ONNX Runtime in float32.
With a picture and its trimap, the refiners are timed on it against PyMatting's closed-form matting,
both warm. Writes benchmarks/results/runtimes.json unless told otherwise.
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from matte.arrays import UNKNOWN
from matte.configs.settings import Config, RefinerSettings, RuntimeSettings
from matte.conversion.returning import from_onnx
from matte.errors import MatteError
from matte.files import write_file
from matte.media.pictures import read_photo, read_trimap
from matte.pipeline.build import build_refiner
from matte.pipeline.networks import as_runtime_network
from matte.registry import resolve
from matte.runtime.backends import BACKENDS, possible_executions
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.execution import Execution
from matte.runtime.machine import describe_machine
from matte.runtime.session import Session
from matte.runtime.torch import TorchSession
from matte.weights.store import SHIPPED, Weights, all_weights

RESULTS = Path(__file__).parent / "results" / "runtimes.json"
TURNS, AT_A_TIME = 5, 4
PAUSE = 0.1  # seconds
SMALL = 320
REFINER_SIZE = 512
BASE = "onnx cpu fp32"


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--trimap", type=Path)
    parser.add_argument("--json", type=Path, default=RESULTS)
    given = parser.parse_args()
    known = {n: w for n, w in all_weights().items() if w.folder == SHIPPED}
    names = given.names or sorted(known)
    report: dict[str, Any] = {
        "date": date.today().isoformat(),
        "machine": describe_machine(),
        "networks": {name: measured(name, known[name]) for name in names},
    }
    if given.picture and given.trimap:
        report["closed_form"] = against_closed_form(given.picture, given.trimap)
    write_file(given.json, (json.dumps(report, indent=1) + "\n").encode(), overwrite=True)


def measured(name: str, weights: Weights) -> dict[str, Any]:
    """Parity and milliseconds of each way to run a network."""
    sessions = dict(opened(weights))
    size = weights.size or REFINER_SIZE
    rows: dict[str, dict[str, dict[str, Any]]] = {str(execution): {} for execution in sessions}
    torch = TorchSession(from_onnx(weights.path).runs, next(iter(sessions.values())).inputs, "out")
    for side in sorted({size, SMALL}):
        inputs = portrait_inputs(torch.inputs, 1, side, side)
        (expected,) = torch.run(inputs).values()
        for execution, session in sessions.items():
            (found,) = session.run(inputs).values()
            apart = np.abs(found - expected)
            rows[str(execution)][f"{side} px"] = {
                "largest": float(f"{apart.max():.2g}"),
                "mean": float(f"{apart.mean():.2g}"),
            }
        calls = {
            str(execution): partial(session.run, inputs) for execution, session in sessions.items()
        }
        times = in_turns({**calls, "torch cpu fp32": partial(torch.run, inputs)})
        for told, ms in times.items():
            row = rows.setdefault(told, {}).setdefault(f"{side} px", {})
            row |= {"ms": round(ms, 2), "times_as_fast": round(times[BASE] / ms, 2)}
            print(f"{name} {side} px, {told}: {row}", flush=True)
    return rows


def opened(weights: Weights) -> list[tuple[Execution, Session]]:
    """Every way there is here, in every precision, whether it is as good or not."""
    network = as_runtime_network(weights)
    network = replace(network, accurate_precisions=("int8", "fp16", "bf16"), torch=None)
    found = []
    for execution in possible_executions(network, RuntimeSettings()):
        try:
            make = resolve("backend", BACKENDS, execution.backend)
            found.append((execution, make(network, execution, RuntimeSettings())))
        except MatteError as error:
            print(f"{execution}: {error}")
    return found


def in_turns(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The median milliseconds of each call, taken in turns, a few at a time: the threads of who ran
    before go on spinning for a while.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TURNS):
        for name, call in calls.items():
            time.sleep(PAUSE)
            call()
            for _ in range(AT_A_TIME):
                start = time.perf_counter()
                call()
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(ms) for name, ms in times.items()}


def against_closed_form(picture: Path, trimap_file: Path) -> dict[str, Any]:
    """Milliseconds of the shipped refiners and of closed-form matting on one picture."""
    image, trimap = read_photo(picture).pixels, read_trimap(trimap_file)
    names = ("closed-form", "gca-slim", "gca-slim-plain", "guided")
    warnings.simplefilter("ignore")  # PyMatting tells when it compiles
    calls: dict[str, Callable[[], object]] = {}
    for name in names:
        refiner = build_refiner(Config(refiner=RefinerSettings(name)))
        calls[name] = partial(refiner.refine, image, trimap)
    times = in_turns(calls)
    height, width = trimap.shape
    unknown = float((trimap == UNKNOWN).mean())
    print(f"{picture.name}, {width}×{height}, {unknown:.1%} unknown: {times}")
    faster = {name: round(times["closed-form"] / ms, 2) for name, ms in times.items()}
    return {
        "picture": picture.name,
        "size": [width, height],
        "unknown": round(unknown, 4),
        "ms": {name: round(ms, 1) for name, ms in times.items()},
        "times_as_fast": faster,
    }


if __name__ == "__main__":
    main()
