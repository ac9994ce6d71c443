"""Everything that only a GPU can measure, in one call.

    python benchmarks/gpu.py [--sizes 1280x720 …] [--batches 1 4 8] [--minutes N] [--ways WORD…]
    python benchmarks/gpu.py --dry-run [--json FILE]

Each network and the whole line on the device, by each method of `gpu_networks.py`: first how far
its results lie from torch fp32, on the CPU for small frames and on the GPU for large ones; only
what agrees is timed. The frames are a portrait between stretched borders. Networks get the inputs
that the line on the device hands them. Writes benchmarks/results/gpu.json after each row, where a
GPU was used. `--dry-run` runs all of it on the CPU, with tiny frames.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import cv2
import harness
import numpy as np
import torch
from gpu_networks import (
    EAGER,
    NETWORKS,
    PATH_METHODS,
    PATHS,
    STAGE_METHODS,
    MissingMethodError,
    open_network,
    open_path,
    record_networks,
    time_on_device,
    torch_versions,
)
from harness import Row
from torch import Tensor

from matte.errors import MatteError
from matte.files import write_file
from matte.media.pictures import read_photo
from matte.runtime.gpus import nvidia_gpus

RESULTS = harness.RESULTS / "gpu.json"
# What the target is for comes first, in case time runs out.
SIZES, DRY_SIZES = ("1920x1080", "1280x720", "3840x2160"), ("128x96",)
DRY_NETWORK_SIDE = 128  # pixels: the segmenter and MODNet in a dry run
RUNS = 20
# Largest and mean difference from torch fp32 that are asked for; and the mean above which results
# count as others, and are not timed.
MAX_DIFFERENCES = {"fp32": (1e-4, 1e-4), "half": (1e-2, 1e-3)}
MAX_AGREEING_MEAN = {"fp32": 1e-3, "half": 1e-2}
TARGET_SIZE, TARGET_RATIO, TARGET_FPS = "1920x1080", 3.0, 120.0

Inputs = Mapping[str, Mapping[str, Tensor]]  # by network


class GpuBenchmark:
    """The rows in their order; what there is no more time for is skipped."""

    def __init__(self, device: str, options: argparse.Namespace) -> None:
        self.device, self.on_gpu = device, device != "cpu"
        self.torch_device = torch.device("cuda", 0) if self.on_gpu else torch.device("cpu")
        self.options = options
        self.end = time.monotonic() + 60 * options.minutes if options.minutes else np.inf
        self.rows: list[Row] = []
        self.stages: dict[tuple[Any, ...], Row] = {}  # by their inputs
        self.file = options.json or (RESULTS if self.on_gpu else None)
        self.network_size = 0 if self.on_gpu else DRY_NETWORK_SIDE

    def run(self) -> None:
        """Measure all rows."""
        for number, size in enumerate(self.options.sizes):
            width, height = map(int, size.split("x"))
            for batch in self.options.batches:
                frames = portrait(height, width, batch).to(self.torch_device)
                first = number == 0 and batch == self.options.batches[0]
                references, inputs = self.references(frames, on_cpu=first)
                about = {"size": size, "batch": batch}
                for kind, name in NETWORKS.items():
                    for method in self.chosen(STAGE_METHODS):
                        self.stage(kind, method, inputs, references, {"what": name, **about})
                for path in PATHS:
                    for method in self.chosen(PATH_METHODS):
                        self.path(path, method, frames, references, {"what": path, **about})

    def chosen(self, methods: Sequence[str]) -> list[str]:
        """Return the methods of --ways, and torch's eager one, the reference."""
        words = self.options.ways
        return [m for m in methods if not words or m == EAGER or any(word in m for word in words)]

    def references(self, frames: Tensor, on_cpu: bool) -> tuple[dict[str, Tensor], Inputs]:
        """Return the results of torch fp32, and the networks' inputs on the way to them."""
        device = "cpu" if on_cpu else self.device
        found, recorded = {}, {}
        batch = frames.cpu() if on_cpu else frames
        for path in PATHS:
            line = open_path(path, EAGER, device, self.network_size)
            spied = record_networks(line)
            result = line.run(batch)
            if any(result.doubts()):
                raise SystemExit(f"Nothing to compare at {frames.shape}: {result.doubts()}")
            found[path] = result.alpha.to(self.torch_device)
            for kind, (inputs, values) in spied.items():
                recorded[kind] = {name: t.to(self.torch_device) for name, t in inputs.items()}
                found[kind] = values.to(self.torch_device)
        return found, recorded

    def stage(
        self, kind: str, method: str, inputs: Inputs, references: Mapping[str, Tensor], about: Row
    ) -> None:
        """Add the row of a network."""

        def open_run() -> Callable[[], Tensor]:
            run = open_network(kind, method, self.device)
            return lambda: run(inputs[kind])

        _, _, height, width = next(iter(inputs[kind].values())).shape
        head = {**about, "stage": kind, "way": method, "input": f"{width}x{height}"}
        key = (kind, method, head["input"], about["batch"])
        if key in self.stages:  # frames of two sizes may look alike to a network
            self.add({**self.stages[key], **head})
        else:
            self.stages[key] = self.row(head, open_run, references[kind])

    def path(
        self, path: str, method: str, frames: Tensor, references: Mapping[str, Tensor], about: Row
    ) -> None:
        """Add the row of a whole line, with composites."""

        def open_run() -> Callable[[], Tensor]:
            line = open_path(path, method, self.device, self.network_size)
            ground = torch.zeros_like(frames[0])
            return lambda: line.run(frames, ground).alpha

        head = {**about, "stage": "path", "way": method}
        self.row(head, open_run, references[path])

    def row(
        self, about: Row, open_run: Callable[[], Callable[[], Tensor]], expected: Tensor
    ) -> Row:
        """Open, compare and time; or say why not."""
        row = dict(about)
        try:
            if time.monotonic() > self.end:
                raise MissingMethodError("no time left of --minutes")
            if "compile" in about["way"] and about["size"] not in self.options.compile_at:
                raise MissingMethodError("takes a minute for each size: --compile-at")
            run = open_run()
            row |= _compare(run(), expected, about)
            if row["agrees"]:
                spent = time_on_device(run, self.on_gpu, self.options.runs)
                frame = spent.median / about["batch"]
                row |= {"ms": spent.as_json(), "ms_per_frame": round(frame, 3)}
                row["fps"] = round(1000 / frame, 1)
        except (MissingMethodError, MatteError) as reason:
            row["skipped"] = str(reason)
        except Exception as error:  # noqa: BLE001  # one method's failure must not lose the others' rows
            row["skipped"] = f"failed: {type(error).__name__}: {str(error).splitlines()[:1]}"
        self.add(row)
        return row

    def add(self, row: Row) -> None:
        """Print the row and write all rows so far."""
        self.rows.append(row)
        print(_row_text(row), flush=True)
        if self.file:
            text = json.dumps(self.result(), indent=1) + "\n"
            write_file(self.file, text.encode(), overwrite=True)

    def result(self) -> Row:
        """Return all rows, for JSON."""
        about = harness.about()
        return {
            "date": about["date"],
            "machine": {**about["machine"], "gpus": list(nvidia_gpus()), **torch_versions()},
            "device": self.device,
            "runs": self.options.runs,
            "rows": self.rows,
            "targets": targets(self.rows),
        }


def portrait(height: int, width: int, batch: int) -> Tensor:
    """Return frames (N, H, W, 3) of the sample between stretched borders, each shifted a little."""
    sample = read_photo(harness.SAMPLE).pixels
    side = min(height, width)
    square = cv2.resize(sample, (side, side), interpolation=cv2.INTER_CUBIC)
    top, left = (height - side) // 2, (width - side) // 2
    frame = np.asarray(
        cv2.copyMakeBorder(
            square, top, height - side - top, left, width - side - left, cv2.BORDER_REPLICATE
        )
    )
    steps = [np.roll(frame, number * max(1, width // 100), axis=1) for number in range(batch)]
    return torch.from_numpy(np.stack(steps))


def targets(rows: list[Row]) -> Row:
    """Return whether the two-stage line reaches its target, where that was measured."""
    timed_rows = [
        r for r in rows if r["what"] == "two-stage" and r["size"] == TARGET_SIZE and "fps" in r
    ]
    eager = {r["batch"]: r["fps"] for r in timed_rows if r["way"] == EAGER}
    others = [r for r in timed_rows if r["way"] != EAGER and r["batch"] in eager]
    if not others:
        return {}
    best = max(others, key=lambda r: r["fps"])
    ratio = best["fps"] / eager[best["batch"]]
    return {
        "size": TARGET_SIZE,
        "best": {"way": best["way"], "batch": best["batch"], "fps": best["fps"]},
        "eager_fps": eager[best["batch"]],
        "ratio": round(ratio, 2),
        "reached": ratio >= TARGET_RATIO and best["fps"] >= TARGET_FPS,
    }


def _compare(found: Tensor, expected: Tensor, about: Row) -> Row:
    kind = "fp32" if "fp32" in about["way"] else "half"
    apart = (found - expected).abs()
    largest, mean = float(apart.max()), float(apart.mean())
    largest_allowed, mean_allowed = MAX_DIFFERENCES[kind]
    if about["stage"] == "path":
        largest_allowed = (
            1.0  # one pixel of the mask's edge more or less is a pixel of another band
        )
    # Phrased so that NaN fails.
    return {
        "largest": largest,
        "mean": mean,
        "within": largest <= largest_allowed and mean <= mean_allowed,
        "agrees": mean <= MAX_AGREEING_MEAN[kind],
    }


def _row_text(row: Row) -> str:
    words = f"{row['what']:<17} {row['size']:>9} ×{row['batch']}  {row['way']:<40}"
    if "skipped" in row:
        return f"{words} skipped: {row['skipped']}"
    apart = f"apart {row['largest']:.1e}, mean {row['mean']:.1e}"
    if not row["agrees"]:
        return f"{words} OTHER RESULTS: {apart}"
    verdict = "" if row["within"] else " (more than asked for)"
    return f"{words} {row['ms_per_frame']:9.2f} ms a frame {row['fps']:8.1f} fps  {apart}{verdict}"


def _target_texts(found: Row) -> Iterator[str]:
    if not found:
        yield f"No two-stage path was measured at {TARGET_SIZE} beside torch's eager one."
        return
    best = found["best"]
    yield (
        f"Two-stage at {TARGET_SIZE}: {best['fps']} fps by {best['way']} in batches of"
        f" {best['batch']}, {found['ratio']} × torch eager fp32 ({found['eager_fps']} fps)."
    )
    verdict = "reached" if found["reached"] else "NOT reached"
    yield f"Asked for: {TARGET_RATIO:.0f} × and {TARGET_FPS:.0f} fps: {verdict}."


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, data=False)
    parser.add_argument("--sizes", nargs="+")
    parser.add_argument("--batches", nargs="+", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument(
        "--minutes", type=float, default=0, help="stop opening networks after; 0: never"
    )
    parser.add_argument("--ways", nargs="+", help="only those whose names hold one of these words")
    parser.add_argument(
        "--compile-at", nargs="+", default=[TARGET_SIZE], help="frames of which size"
    )
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with tiny frames")
    options = parser.parse_args()
    tiny = options.dry_run
    if not tiny and not (nvidia_gpus() and torch.cuda.is_available()):
        raise SystemExit("There is no GPU that torch can use here: try --dry-run.")
    options.sizes = options.sizes or (DRY_SIZES if tiny else SIZES)
    options.batches = options.batches or ((1, 2) if tiny else (1, 4, 8))
    options.runs = options.runs or (1 if tiny else RUNS)
    benchmark = GpuBenchmark("cpu" if tiny else "gpu:0", options)
    benchmark.run()
    if not tiny:
        print(*_target_texts(benchmark.result()["targets"]), sep="\n")


if __name__ == "__main__":
    main()
