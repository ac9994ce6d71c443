"""Time and memory of the full-width GCA network against the picture's size.

    python benchmarks/attention.py [--sizes 512x512 1024x1024 1920x1088] [--runs 3]
                                   [--json benchmarks/results/attention.json]

Random weights, a trimap of which a quarter is unknown. Each row is a process of its own, whose peak
is that of the whole process: Python, the runtime, the weights. "full" lets all places of the
picture look around at once, a number so many at a time; "patches" is the textbook form, products of
whole 4 × 4 patches, for comparison. The runtimes take the exported file, as matte opens it; ONNX
Runtime also with its memory patterns, which keep a plan for each size. "cpu" is the least
processor time of all threads: neighbours on the machine disturb it less than the time on the wall.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.refiner.protocols import network_inputs
from matte.runtime.threads import usable_threads

PACKAGES = ("torch", "onnxruntime", "openvino", "numpy")
FORMS = (
    *("torch patches", "torch full", "torch 1024", "torch 256"),
    *("onnx", "onnx patterns", "openvino"),
)
ALL = 10**9
SAME = 1e-4  # largest difference between the forms' alpha
Run = Callable[[dict[str, NDArray[np.float32]]], Any]


def picture(height: int, width: int) -> dict[str, NDArray[np.float32]]:
    """Smooth noise with a band of unknown."""
    import cv2

    from matte.arrays import Image, Trimap

    small = np.random.default_rng(0).integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    image = np.asarray(cv2.resize(small, (width, height)), np.uint8)
    trimap = np.zeros((height, width), np.uint8)
    trimap[:, width // 2 :] = 255
    trimap[:, 3 * width // 8 : 5 * width // 8] = 128
    return network_inputs(Image(image), Trimap(trimap))


def full_width() -> Any:
    """The network with random weights, always the same ones, whose attention matters."""
    import torch

    from matte.refiner.network import GcaNetwork, with_spectral_norm, without_spectral_norm

    torch.manual_seed(0)
    network = GcaNetwork()
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        torch.nn.init.ones_(norm.weight)
        norm.momentum = None  # the mean of all that was seen, here of one picture
    network = without_spectral_norm(with_spectral_norm(network)).train()
    with torch.no_grad():
        network(**{name: torch.from_numpy(v) for name, v in picture(128, 192).items()})
    return network.eval()


def torch_network(queries: int, patches: bool) -> Run:
    """The network in torch."""
    import torch

    from matte.refiner.attention import GuidedAttention

    torch.set_num_threads(usable_threads())
    network = full_width()
    network.set_queries(queries)
    if patches:
        GuidedAttention._gathered = _textbook  # type: ignore[method-assign]  # the comparison

    def run(inputs: dict[str, NDArray[np.float32]]) -> Any:
        with torch.inference_mode():
            return network(**{k: torch.from_numpy(v) for k, v in inputs.items()}).numpy()

    return run


def _textbook(self: Any, query: Any, key: Any, itself: Any, features: Any) -> Any:
    """What GuidedAttention gathers, by products of whole 4 × 4 patches."""
    import torch
    import torch.nn.functional as F

    height, width = query.shape[1:3]
    logits = query.flatten(1, 2) @ key.flatten(1, 2).transpose(1, 2)
    logits.diagonal(dim1=1, dim2=2).add_(itself)
    padded = F.pad(features, (1, 1, 1, 1), mode="reflect")
    values = F.unfold(padded, 4, stride=2).transpose(1, 2)
    found = (torch.softmax(logits, dim=2) @ values).transpose(1, 2)
    return F.fold(found, (2 * height, 2 * width), 4, stride=2, padding=1) / 4


def open_form(form: str, network: Path) -> Run:
    """That form of the network, ready to run."""
    if form == "onnx":
        from matte.runtime.opener import open_onnx_file

        onnx = open_onnx_file(network)
        return lambda inputs: onnx.run(inputs)["alpha"]
    if form == "onnx patterns":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_threads()
        options.log_severity_level = 3
        options.enable_mem_pattern = True
        session = onnxruntime.InferenceSession(network, options)
        return lambda inputs: session.run(["alpha"], inputs)[0]
    if form == "openvino":
        openvino = open_onnx_file(network, "openvino")
        return lambda inputs: openvino.run(inputs)["alpha"]
    queries = form.removeprefix("torch ")
    return torch_network(int(queries) if queries.isdigit() else ALL, queries == "patches")


def measure(form: str, network: Path, height: int, width: int, runs: int) -> dict[str, Any]:
    """Times and peak memory of this process; alpha goes beside the network's file."""
    run, inputs = open_form(form, network), picture(height, width)
    alpha = run(inputs)
    seconds, processor = [], []
    for _ in range(runs):
        start, busy = time.perf_counter(), time.process_time()
        run(inputs)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    np.save(network.with_name("alpha.npy"), alpha)
    low, _, high = statistics.quantiles(seconds, n=4) if runs > 1 else seconds * 3
    return {
        "form": form,
        "size": f"{width}x{height}",
        "median_s": round(statistics.median(seconds), 3),
        "iqr_s": round(high - low, 3),
        "cpu_s": round(min(processor), 3),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def in_own_process(*words: str, home: str) -> str:
    """What this program prints when it is called with the words."""
    command = [sys.executable, __file__, *words]
    environment = {**os.environ, "MATTE_HOME": home}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    """Measures, prints, writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["512x512", "1024x1024", "1920x1088"])
    parser.add_argument("--forms", nargs="+", default=list(FORMS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # form, network: this process
    options = parser.parse_args()
    sizes = [(int(h), int(w)) for w, h in (size.split("x") for size in options.sizes)]
    if options.one:
        form, file = options.one
        if form == "export":
            from matte.conversion.refiner_export import export_refiner_network

            export_refiner_network(full_width(), Path(file), half=False)
        else:
            print(json.dumps(measure(form, Path(file), *sizes[0], options.runs)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder) / "gca.onnx"
        in_own_process("--one", "export", str(network), home=folder)
        for height, width in sizes:
            first = None
            for form in options.forms:
                words = ["--one", form, str(network), "--sizes", f"{width}x{height}"]
                words += ["--runs", str(options.runs)]
                row = json.loads(in_own_process(*words, home=folder))
                alpha = np.load(Path(folder) / "alpha.npy")
                first = alpha if first is None else first
                row["largest_difference"] = float(np.abs(alpha - first).max())
                assert row["largest_difference"] <= SAME, row
                rows.append(row)
                print(row, flush=True)
    result = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {usable_threads()} cores",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "runs": options.runs,
        "rows": rows,
    }
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
