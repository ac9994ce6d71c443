"""Time and memory of the full-width GCA network against the picture's size.

    python benchmarks/attention.py [--sizes 512x512 1024x1024 1920x1088] [--runs 3]
                                   [--json benchmarks/results/attention.json]

Random weights, a trimap of which a quarter is unknown. Each row is a process of its own, whose peak
is that of the whole process: Python, the runtime, the weights. "full" computes attention for all
places of the picture at once, a number for so many at a time; "patches" is the textbook form,
products of whole 4 × 4 patches, for comparison. The runtimes run the exported file, as matte opens
it; ONNX Runtime also with its memory patterns, which store a plan for each size. "cpu" is the least
processor time of all threads: neighbours on the machine disturb it less than the time on the wall.
"""

import json
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import harness
import numpy as np
from harness import Row
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image, Trimap
from matte.metrics.timings import summarise_timings
from matte.refiner.protocols import network_inputs
from matte.runtime.threads import usable_threads

FORMS = (
    *("torch patches", "torch full", "torch 1024", "torch 256"),
    *("onnx", "onnx patterns", "openvino"),
)
ALL_QUERIES = 10**9
MAX_DIFFERENCE = 1e-4  # between the forms' alphas


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, data=False)
    parser.add_argument("--sizes", nargs="+", default=["512x512", "1024x1024", "1920x1088"])
    parser.add_argument("--forms", nargs="+", default=list(FORMS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("FORM", "NETWORK"), help="in this process")
    options = parser.parse_args()
    if options.one:
        form, file = options.one
        if form == "export":
            from matte.conversion.refiner_export import export_refiner_network

            export_refiner_network(full_width_network(), Path(file), half=False)
            print("{}")
        else:
            print(json.dumps(measure(form, Path(file), options.sizes[0], options.runs)))
        return
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder) / "gca.onnx"
        run_one = partial(harness.run_self, "--one", MATTE_HOME=folder)
        run_one("export", network)
        for size in options.sizes:
            first: NDArray[Any] | None = None
            for form in options.forms:
                row = run_one(form, network, "--sizes", size, "--runs", options.runs)
                alpha = np.load(network.with_name("alpha.npy"))
                first = alpha if first is None else first
                row["largest_difference"] = float(np.abs(alpha - first).max())
                assert row["largest_difference"] <= MAX_DIFFERENCE, row
                rows.append(row)
                print(row, flush=True)
    harness.show(rows)
    harness.write(options.json, {"runs": options.runs, "rows": rows})


def measure(form: str, network: Path, size: str, runs: int) -> Row:
    """Return this process's times and peak; its alpha is saved beside the network's file."""
    width, height = map(int, size.split("x"))
    run, inputs = open_form(form, network), noise_inputs(height, width)
    np.save(network.with_name("alpha.npy"), run(inputs))
    seconds, processor = [], []
    for _ in range(runs):
        start, busy = time.perf_counter(), time.process_time()
        run(inputs)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    timed = summarise_timings(seconds, 3)
    return {
        "form": form,
        "size": size,
        "median_s": timed.median,
        "iqr_s": round(timed.high - timed.low, 3),
        "cpu_s": round(min(processor), 3),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def noise_inputs(height: int, width: int) -> dict[str, FloatArray]:
    """Return a network's inputs: smooth noise with a band of unknown."""
    small = np.random.default_rng(0).integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    image = np.asarray(cv2.resize(small, (width, height)), np.uint8)
    trimap = np.zeros((height, width), np.uint8)
    trimap[:, width // 2 :] = 255
    trimap[:, 3 * width // 8 : 5 * width // 8] = 128
    return network_inputs(Image(image), Trimap(trimap))


def open_form(form: str, network: Path) -> Callable[[dict[str, FloatArray]], Any]:
    """Return a form of the network, ready to run."""
    if form == "onnx patterns":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_threads()
        options.log_severity_level = 3
        options.enable_mem_pattern = True
        patterns = onnxruntime.InferenceSession(network, options)
        return lambda inputs: patterns.run(["alpha"], inputs)[0]
    if form in ("onnx", "openvino"):
        from matte.runtime.opener import open_onnx_file

        session = open_onnx_file(network, "onnx" if form == "onnx" else "openvino")
        return lambda inputs: session.run(inputs)["alpha"]
    queries = form.removeprefix("torch ")
    return torch_form(int(queries) if queries.isdigit() else ALL_QUERIES, queries == "patches")


def torch_form(queries: int, patches: bool) -> Callable[[dict[str, FloatArray]], Any]:
    """Return the network in torch; `patches`: with attention in its textbook form."""
    import torch

    from matte.refiner.attention import GuidedAttention

    torch.set_num_threads(usable_threads())
    network = full_width_network()
    network.set_queries(queries)
    if patches:
        GuidedAttention._gather = _textbook_attention  # type: ignore[method-assign]  # compared

    def run(inputs: dict[str, FloatArray]) -> Any:
        with torch.inference_mode():
            return network(**{name: torch.from_numpy(v) for name, v in inputs.items()}).numpy()

    return run


def full_width_network() -> Any:
    """Return the network with random weights, always the same ones, whose attention matters."""
    import torch

    from matte.refiner.network import GcaNetwork, with_spectral_norm, without_spectral_norm

    torch.manual_seed(0)
    network = GcaNetwork()
    for norm in [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]:
        torch.nn.init.ones_(norm.weight)
        norm.momentum = None  # the mean over all inputs, here of one picture
    network = without_spectral_norm(with_spectral_norm(network)).train()
    with torch.no_grad():
        network(**{name: torch.from_numpy(v) for name, v in noise_inputs(128, 192).items()})
    return network.eval()


def _textbook_attention(self: Any, query: Any, key: Any, self_penalty: Any, features: Any) -> Any:
    """Return what GuidedAttention gathers, by products of whole 4 × 4 patches."""
    import torch
    import torch.nn.functional as F

    height, width = query.shape[1:3]
    logits = query.flatten(1, 2) @ key.flatten(1, 2).transpose(1, 2)
    logits.diagonal(dim1=1, dim2=2).add_(self_penalty)
    padded = F.pad(features, (1, 1, 1, 1), mode="reflect")
    values = F.unfold(padded, 4, stride=2).transpose(1, 2)
    found = (torch.softmax(logits, dim=2) @ values).transpose(1, 2)
    return F.fold(found, (2 * height, 2 * width), 4, stride=2, padding=1) / 4


if __name__ == "__main__":
    main()
