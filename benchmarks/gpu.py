"""Everything that only a GPU can tell, in one call.

    python benchmarks/gpu.py [--sizes 1280x720 …] [--batches 1 4 8] [--minutes N] [--ways WORD…]
    python benchmarks/gpu.py --dry-run [--json FILE]

Each network and the whole device path, in each way of `gpu_ways.py`: first how far its results lie
from torch fp32, on the CPU for small frames and on the GPU for large ones; only what agrees is
timed. The frames are a portrait between stretched borders. Networks get what the device path hands
them. Writes benchmarks/results/gpu.json after each row, where a GPU was used. `--dry-run` walks all
of it on the CPU, with tiny frames.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from gpu_ways import (
    EAGER,
    NETWORKS,
    PATH_WAYS,
    PATHS,
    STAGE_WAYS,
    MissingWayError,
    open_network,
    open_path,
    refiner_inputs,
    timed,
    versions,
)
from torch import Tensor

from matte.errors import MatteError
from matte.files import write_file
from matte.gpu.line import DeviceLine, DeviceModnet
from matte.media.pictures import read_photo
from matte.runtime.gpus import nvidia_gpus
from matte.runtime.machine import describe_machine

SAMPLE = Path(__file__).parents[1] / "matte/media/samples/astronaut.jpg"
RESULTS = Path(__file__).parent / "results" / "gpu.json"
# What the target is for comes first, in case time runs out.
SIZES, TINY = ("1920x1080", "1280x720", "3840x2160"), ("128x96",)
TINY_NETWORK = 128  # pixels: the segmenter and MODNet in a dry run
RUNS = 20
# Largest and mean difference from torch fp32 that are asked for; and the mean, over which the
# results are others, and are not timed.
ASKED = {"fp32": (1e-4, 1e-4), "half": (1e-2, 1e-3)}
OTHER = {"fp32": 1e-3, "half": 1e-2}
TARGET_SIZE, TARGET_RATIO, TARGET_FPS = "1920x1080", 3.0, 120.0

Row = dict[str, Any]
Inputs = Mapping[str, Mapping[str, Tensor]]  # by network


class Benchmark:
    """The rows, as they come; skips what there is no more time for."""

    def __init__(self, device: str, options: argparse.Namespace) -> None:
        self.device, self.on_gpu = device, device != "cpu"
        self.torch_device = torch.device("cuda", 0) if self.on_gpu else torch.device("cpu")
        self.options = options
        self.end = time.monotonic() + 60 * options.minutes if options.minutes else np.inf
        self.rows: list[Row] = []
        self.stages: dict[tuple[Any, ...], Row] = {}  # by what they were given
        self.file = options.json or (RESULTS if self.on_gpu else None)
        self.network_size = 0 if self.on_gpu else TINY_NETWORK

    def run(self) -> None:
        """All rows."""
        for number, size in enumerate(self.options.sizes):
            width, height = map(int, size.split("x"))
            for batch in self.options.batches:
                frames = portrait(height, width, batch).to(self.torch_device)
                first = number == 0 and batch == self.options.batches[0]
                references, inputs = self.references(frames, on_cpu=first)
                about = {"size": size, "batch": batch}
                for kind, name in NETWORKS.items():
                    for way in self.ways(STAGE_WAYS):
                        self.stage(kind, way, inputs, references, {"what": name, **about})
                for path in PATHS:
                    for way in self.ways(PATH_WAYS):
                        self.path(path, way, frames, references, {"what": path, **about})

    def ways(self, all_ways: Sequence[str]) -> list[str]:
        """Those that were asked for; torch's eager one always is, to be compared with."""
        asked = self.options.ways
        return [w for w in all_ways if not asked or w == EAGER or any(a in w for a in asked)]

    def references(self, frames: Tensor, on_cpu: bool) -> tuple[dict[str, Tensor], Inputs]:
        """What torch fp32 finds, and what the networks are given on the way."""
        device = "cpu" if on_cpu else self.device
        found, seen = {}, {}
        given = frames.cpu() if on_cpu else frames
        for path in PATHS:
            line = open_path(path, EAGER, device, self.network_size)
            spied = _spied(line)
            result = line.run(given)
            if any(result.doubts()):
                raise SystemExit(f"Nothing to compare at {frames.shape}: {result.doubts()}")
            found[path] = result.alpha.to(self.torch_device)
            for kind, (inputs, values) in spied.items():
                seen[kind] = {name: t.to(self.torch_device) for name, t in inputs.items()}
                found[kind] = values.to(self.torch_device)
        return found, seen

    def stage(
        self, kind: str, way: str, inputs: Inputs, references: Mapping[str, Tensor], about: Row
    ) -> None:
        """A row for a network."""

        def opened() -> Callable[[], Tensor]:
            run = open_network(kind, way, self.device)
            return lambda: run(inputs[kind])

        _, _, height, width = next(iter(inputs[kind].values())).shape
        told = {**about, "stage": kind, "way": way, "input": f"{width}x{height}"}
        key = (kind, way, told["input"], about["batch"])
        if key in self.stages:  # frames of two sizes may look alike to a network
            self.add({**self.stages[key], **told})
        else:
            self.stages[key] = self.row(told, opened, references[kind])

    def path(
        self, path: str, way: str, frames: Tensor, references: Mapping[str, Tensor], about: Row
    ) -> None:
        """A row for a whole path, with composites."""

        def opened() -> Callable[[], Tensor]:
            line = open_path(path, way, self.device, self.network_size)
            ground = torch.zeros_like(frames[0])
            return lambda: line.run(frames, ground).alpha

        told = {**about, "stage": "path", "way": way}
        self.row(told, opened, references[path])

    def row(self, about: Row, opened: Callable[[], Callable[[], Tensor]], expected: Tensor) -> Row:
        """Opens, compares, times; or tells why not."""
        row = dict(about)
        try:
            if time.monotonic() > self.end:
                raise MissingWayError("no time left of --minutes")
            if "compile" in about["way"] and about["size"] not in self.options.compile_at:
                raise MissingWayError("takes a minute for each size: --compile-at")
            run = opened()
            row |= _compared(run(), expected, about)
            if row["agrees"]:
                spent = timed(run, self.on_gpu, self.options.runs)
                frame = spent.median / about["batch"]
                row |= {"ms": spent.as_json(), "ms_per_frame": round(frame, 3)}
                row["fps"] = round(1000 / frame, 1)
        except (MissingWayError, MatteError) as reason:
            row["skipped"] = str(reason)
        except Exception as error:  # noqa: BLE001  # one way's failure must not lose the others' rows
            row["skipped"] = f"failed: {type(error).__name__}: {str(error).splitlines()[:1]}"
        self.add(row)
        return row

    def add(self, row: Row) -> None:
        """Prints the row and writes all that there is so far."""
        self.rows.append(row)
        print(_line(row), flush=True)
        if self.file:
            told = json.dumps(self.result(), indent=1) + "\n"
            write_file(self.file, told.encode(), overwrite=True)

    def result(self) -> Row:
        """All of it, for JSON."""
        return {
            "date": date.today().isoformat(),
            "machine": {**describe_machine(), "gpus": list(nvidia_gpus()), **versions()},
            "device": self.device,
            "runs": self.options.runs,
            "rows": self.rows,
            "targets": targets(self.rows),
        }


def portrait(height: int, width: int, batch: int) -> Tensor:
    """Frames (N, H, W, 3) of the sample between stretched borders, each a little farther on."""
    sample = read_photo(SAMPLE).pixels
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
    """Whether the two-stage path reaches what it should, where that was measured."""
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


def _spied(line: DeviceLine | DeviceModnet) -> dict[str, tuple[Mapping[str, Tensor], Tensor]]:
    """Has the line tell, by network, what it gives and gets."""
    seen: dict[str, tuple[Mapping[str, Tensor], Tensor]] = {}

    def spy(kind: str, function: Callable[..., Tensor], *names: str) -> Callable[..., Tensor]:
        def run(*given: Tensor) -> Tensor:
            values = function(*given)
            inputs = refiner_inputs(*given) if kind == "refiner" else {names[0]: given[0]}
            seen[kind] = inputs, values
            return values

        return run

    if isinstance(line, DeviceModnet):
        line._matte = spy("modnet", line._matte, "input")
    else:
        line._segment = spy("segmenter", line._segment, "image")
        line._refine = spy("refiner", line._refine)
    return seen


def _compared(found: Tensor, expected: Tensor, about: Row) -> Row:
    kind = "fp32" if "fp32" in about["way"] else "half"
    apart = (found - expected).abs()
    largest, mean = float(apart.max()), float(apart.mean())
    most, most_mean = ASKED[kind]
    if about["stage"] == "path":
        most = 1.0  # one pixel of the mask's edge more or less is a pixel of another band
    # Phrased so that NaN fails.
    return {
        "largest": largest,
        "mean": mean,
        "within": largest <= most and mean <= most_mean,
        "agrees": mean <= OTHER[kind],
    }


def _line(row: Row) -> str:
    words = f"{row['what']:<17} {row['size']:>9} ×{row['batch']}  {row['way']:<40}"
    if "skipped" in row:
        return f"{words} skipped: {row['skipped']}"
    apart = f"apart {row['largest']:.1e}, mean {row['mean']:.1e}"
    if not row["agrees"]:
        return f"{words} OTHER RESULTS: {apart}"
    verdict = "" if row["within"] else " (more than asked for)"
    return f"{words} {row['ms_per_frame']:9.2f} ms a frame {row['fps']:8.1f} fps  {apart}{verdict}"


def _told(found: Row) -> Iterator[str]:
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
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+")
    parser.add_argument("--batches", nargs="+", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument(
        "--minutes", type=float, default=0, help="stop opening ways after; 0: never"
    )
    parser.add_argument("--ways", nargs="+", help="only those whose names hold one of these words")
    parser.add_argument(
        "--compile-at", nargs="+", default=[TARGET_SIZE], help="frames of which size"
    )
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with tiny frames")
    options = parser.parse_args()
    tiny = options.dry_run
    if not tiny and not (nvidia_gpus() and torch.cuda.is_available()):
        raise SystemExit("There is no GPU that torch can use here: try --dry-run.")
    options.sizes = options.sizes or (TINY if tiny else SIZES)
    options.batches = options.batches or ((1, 2) if tiny else (1, 4, 8))
    options.runs = options.runs or (1 if tiny else RUNS)
    benchmark = Benchmark("cpu" if tiny else "gpu:0", options)
    benchmark.run()
    if not tiny:
        print(*_told(benchmark.result()["targets"]), sep="\n")


if __name__ == "__main__":
    main()
