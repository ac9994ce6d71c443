"""Networks and the whole line on a GPU, opened by method names such as "torch fp16 graphs".

A method is a runtime, a precision, and options: channels_last, compile (torch.compile), graphs
(CUDA graphs). What is not available raises a MatteError or `MissingMethodError` that says why.
"""

import copy
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import harness
import torch
from torch import Tensor

from matte.configs.loader import merge_settings
from matte.configs.settings import RuntimeSettings
from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.gpu.line import DeviceLine, DeviceModnet
from matte.metrics.timings import TimingSpread, summarise_timings
from matte.pipeline.networks import as_runtime_network
from matte.runtime.execution import Execution
from matte.runtime.opener import open_session
from matte.runtime.torch import DeviceNetwork
from matte.weights.store import find_weights

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
STAGE_METHODS = (*TORCH, *OTHERS, *ENGINES)
PATH_METHODS = (*TORCH, *ENGINES, "tensorrt fp16 graphs")
# The two-stage path with a kernel's band, and with the one of the default preset.
PATHS: dict[str, dict[str, Any]] = {
    "two-stage": {"k": 7},
    "two-stage k=auto": {"k": "auto"},
    "modnet path": {},
}
WARM_UP = 3
UNKNOWN_RATIO = "unknown_ratio"

Run = Callable[[Mapping[str, Tensor]], Tensor]


class MissingMethodError(Exception):
    """A method that is not available here; its text says why."""


def open_network(kind: str, method: str, device: str) -> Run:
    """Return the network of a kind, run by a method: tensors on the device by name in, one out."""
    runtime, precision, *extras = method.split()
    weights = find_weights(kind, NETWORKS[kind])
    if runtime == "torch":
        if device == "cpu" and {"compile", "graphs"} & set(extras):
            raise MissingMethodError(
                "needs a GPU" if "graphs" in extras else "takes minutes on a CPU"
            )
        torch._dynamo.reset()  # each size is compiled for itself
        network = DeviceNetwork(
            copy.deepcopy(_torch_network(weights.path)),
            Execution("torch", device, precision),
            compiled="compile" in extras,
            channels_last="channels_last" in extras,
        )

        def run(inputs: Mapping[str, Tensor]) -> Tensor:
            return network(**inputs)

        return as_cuda_graph(run) if "graphs" in extras else run
    settings: Any = {"backend": runtime, "precision": precision, "device": device}
    session: Any = open_session(as_runtime_network(weights), RuntimeSettings(**settings))
    if hasattr(session, "run_on_device"):

        def on_device(inputs: Mapping[str, Tensor]) -> Tensor:
            (found,) = session.run_on_device(inputs).values()
            return found  # type: ignore[no-any-return]  # a session of whatever kind

        return as_cuda_graph(on_device) if "graphs" in extras else on_device

    def through_numpy(inputs: Mapping[str, Tensor]) -> Tensor:
        (found,) = session.run({name: t.cpu().numpy() for name, t in inputs.items()}).values()
        return torch.from_numpy(found).to(next(iter(inputs.values())).device)

    return through_numpy


@cache
def _torch_network(file: Path) -> torch.nn.Module:
    return torch_from_onnx(file).exported


def open_path(path: str, method: str, device: str, size: int = 0) -> DeviceLine | DeviceModnet:
    """Return the line of that name on a device, its networks run by a method.

    For tiny frames segmenter and MODNet see `size` pixels, and a kernel's band is narrow; 0: as
    trained, and as usual.
    """
    graphs = "graphs" in method.split()
    if graphs and PATHS[path].get("k") == "auto":
        raise MissingMethodError("its band depends on each picture, so it can't be recorded")
    if graphs and device == "cpu":
        raise MissingMethodError("needs a GPU")
    flags = PATHS[path] | ({"erode": 1, "dilate": 1} if size and PATHS[path].get("k") == 7 else {})
    config = merge_settings("balanced", flags=flags).config
    plain = " ".join(word for word in method.split() if word != "graphs")
    if path == "modnet path":
        matte = open_network("modnet", plain, device)
        size = size or find_weights("modnet", NETWORKS["modnet"]).size
        return DeviceModnet(lambda image: matte({"input": image}), config, size, graphs=graphs)
    segment, refine = (open_network(kind, plain, device) for kind in ("segmenter", "refiner"))
    return DeviceLine(
        lambda image: segment({"image": image}),
        lambda image, trimap: refine(refiner_inputs(image, trimap)),
        config,
        size or find_weights("segmenter", NETWORKS["segmenter"]).size,
        graphs=graphs,
    )


def refiner_inputs(image: Tensor, trimap: Tensor) -> dict[str, Tensor]:
    """Return the inputs of a refiner with attention; the ratio of unknown is the trimap's own."""
    ratio = torch.full((len(image),), -1.0, device=image.device)
    return {"image": image, "trimap": trimap, UNKNOWN_RATIO: ratio}


def record_networks(
    line: DeviceLine | DeviceModnet,
) -> dict[str, tuple[Mapping[str, Tensor], Tensor]]:
    """Return a table that the line's networks fill with their inputs and outputs as they run."""
    recorded: dict[str, tuple[Mapping[str, Tensor], Tensor]] = {}

    def spy(kind: str, function: Callable[..., Tensor], *names: str) -> Callable[..., Tensor]:
        def run(*tensors: Tensor) -> Tensor:
            values = function(*tensors)
            inputs = refiner_inputs(*tensors) if kind == "refiner" else {names[0]: tensors[0]}
            recorded[kind] = inputs, values
            return values

        return run

    if isinstance(line, DeviceModnet):
        line._network = spy("modnet", line._network, "input")
    else:
        line._segment = spy("segmenter", line._segment, "image")
        line._refine = spy("refiner", line._refine)
    return recorded


def as_cuda_graph(run: Run) -> Run:
    """Return the network recorded as a CUDA graph, for one shape."""
    inputs: dict[str, Tensor] = {}
    graph: Any = None
    out: list[Tensor] = []

    def replay(values: Mapping[str, Tensor]) -> Tensor:
        nonlocal graph
        if graph is None:
            inputs.update({name: tensor.clone() for name, tensor in values.items()})
            aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP):
                    run(inputs)
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                out.append(run(inputs))
        for name, tensor in values.items():
            inputs[name].copy_(tensor)
        graph.replay()
        return out[0].clone()

    return replay


def time_on_device(run: Callable[[], Any], on_gpu: bool, runs: int) -> TimingSpread:
    """Return the milliseconds of a run, by the GPU's own events where there is one."""
    if not on_gpu:
        return harness.time_call(run, runs, warm_up=0)
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
    return summarise_timings(times, 3)


def torch_versions() -> dict[str, str]:
    """Return what torch was built with."""
    return {"torch": torch.__version__, "cuda": str(torch.version.cuda)}
