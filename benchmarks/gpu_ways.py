"""The ways to run networks and the device path on a GPU, by names such as "torch fp16 graphs".

A name is a runtime, a precision, and how: channels_last, compile (torch.compile), graphs (CUDA
graphs). What can't be had raises a MatteError or `MissingWayError` that tells why.
"""

import copy
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from matte.bench.spread import Spread, spread
from matte.configs.loader import merge_settings
from matte.configs.settings import RuntimeSettings
from matte.conversion.returning import from_onnx
from matte.gpu.line import DeviceLine, DeviceModnet
from matte.pipeline.networks import as_runtime_network
from matte.runtime.execution import Execution
from matte.runtime.opener import open_session
from matte.runtime.torch import DeviceNetwork
from matte.weights.store import find

NETWORKS = {"segmenter": "person", "refiner": "gca-slim", "modnet": "modnet"}
EAGER = "torch fp32"
TORCH = (
    EAGER,
    "torch fp16",
    "torch bf16",
    "torch fp16 channels_last",
    "torch fp16 compile",
    "torch fp16 graphs",
    "torch fp16 channels_last compile graphs",
)
OTHERS = ("onnx fp32", "onnx-tensorrt fp32", "onnx-tensorrt fp16")
ENGINES = ("tensorrt fp32", "tensorrt fp16")
STAGE_WAYS = (*TORCH, *OTHERS, *ENGINES)
PATH_WAYS = (*TORCH, *ENGINES, "tensorrt fp16 graphs")
# The two-stage path with a kernel's band, and with the one of the default preset.
PATHS: dict[str, dict[str, Any]] = {
    "two-stage": {"k": 7},
    "two-stage k=auto": {"k": "auto"},
    "modnet path": {},
}
WARM_UP = 3
RATIO = "unknown_ratio"

Run = Callable[[Mapping[str, Tensor]], Tensor]


class MissingWayError(Exception):
    """A way that there is none of here; its text tells why."""


def open_network(kind: str, way: str, device: str) -> Run:
    """The network of that kind, run in that way: tensors on the device by name in, one out."""
    runtime, precision, *how = way.split()
    weights = find(kind, NETWORKS[kind])
    if runtime == "torch":
        if device == "cpu" and {"compile", "graphs"} & set(how):
            raise MissingWayError("needs a GPU" if "graphs" in how else "takes minutes on a CPU")
        torch._dynamo.reset()  # each size is compiled for itself
        network = DeviceNetwork(
            copy.deepcopy(_returned(weights.path)),
            Execution("torch", device, precision),
            compiled="compile" in how,
            channels_last="channels_last" in how,
        )

        def run(given: Mapping[str, Tensor]) -> Tensor:
            return network(**given)

        return recorded(run) if "graphs" in how else run
    asked: Any = {"backend": runtime, "precision": precision, "device": device}
    session: Any = open_session(as_runtime_network(weights), RuntimeSettings(**asked))
    if hasattr(session, "run_on_device"):

        def on_device(given: Mapping[str, Tensor]) -> Tensor:
            (found,) = session.run_on_device(given).values()
            return found  # type: ignore[no-any-return]  # a session of whatever kind

        return recorded(on_device) if "graphs" in how else on_device

    def through_numpy(given: Mapping[str, Tensor]) -> Tensor:
        (found,) = session.run({name: t.cpu().numpy() for name, t in given.items()}).values()
        return torch.from_numpy(found).to(next(iter(given.values())).device)

    return through_numpy


@cache
def _returned(file: Path) -> torch.nn.Module:
    return from_onnx(file).runs


def open_path(path: str, way: str, device: str, size: int = 0) -> DeviceLine | DeviceModnet:
    """The device path of that name, its networks run in that way. For tiny frames segmenter and
    MODNet see `size` pixels, and a kernel's band is narrow; 0: as trained, and as usual.
    """
    graphs = "graphs" in way.split()
    if graphs and PATHS[path].get("k") == "auto":
        raise MissingWayError("its band depends on each picture, so it can't be recorded")
    if graphs and device == "cpu":
        raise MissingWayError("needs a GPU")
    flags = PATHS[path] | ({"erode": 1, "dilate": 1} if size and PATHS[path].get("k") == 7 else {})
    config = merge_settings("balanced", flags=flags).config
    plain = " ".join(word for word in way.split() if word != "graphs")
    if path == "modnet path":
        matte = open_network("modnet", plain, device)
        size = size or find("modnet", NETWORKS["modnet"]).size
        return DeviceModnet(lambda image: matte({"input": image}), config, size, graphs=graphs)
    segment, refine = (open_network(kind, plain, device) for kind in ("segmenter", "refiner"))
    return DeviceLine(
        lambda image: segment({"image": image}),
        lambda image, trimap: refine(refiner_inputs(image, trimap)),
        config,
        size or find("segmenter", NETWORKS["segmenter"]).size,
        graphs=graphs,
    )


def refiner_inputs(image: Tensor, trimap: Tensor) -> dict[str, Tensor]:
    """What a refiner with attention takes; the ratio of unknown is the trimap's own."""
    ratio = torch.full((len(image),), -1.0, device=image.device)
    return {"image": image, "trimap": trimap, RATIO: ratio}


def recorded(run: Run) -> Run:
    """The same as a CUDA graph, for one shape."""
    kept: dict[str, Tensor] = {}
    graph: Any = None
    out: list[Tensor] = []

    def replay(given: Mapping[str, Tensor]) -> Tensor:
        nonlocal graph
        if graph is None:
            kept.update({name: tensor.clone() for name, tensor in given.items()})
            aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP):
                    run(kept)
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                out.append(run(kept))
        for name, tensor in given.items():
            kept[name].copy_(tensor)
        graph.replay()
        return out[0].clone()

    return replay


def timed(run: Callable[[], Any], on_gpu: bool, runs: int) -> Spread:
    """Milliseconds of a run, by the GPU's own events where there is one, after a warm-up."""
    if not on_gpu:
        return spread([_seconds(run) * 1000 for _ in range(runs)], 3)
    for _ in range(WARM_UP):
        run()
    times = []
    for _ in range(runs):
        start: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch's
        end: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch's
        torch.cuda.synchronize()
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return spread(times, 3)


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def versions() -> dict[str, str]:
    """What torch was built with."""
    return {"torch": torch.__version__, "cuda": str(torch.version.cuda)}
