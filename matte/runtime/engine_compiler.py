"""TensorRT engines built, compared with a reference, stored and opened.

TensorRT and torch are imported only where they are needed: who asks for an engine on a machine
that can't have one gets the error at once.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteWarning, OutputError, WeightsError, install_command
from matte.files import write_file
from matte.runtime.engine_parity import (
    ENGINE_TOLERANCES,
    EngineDifference,
    check_engine_differences,
    engine_difference,
    parity_sizes,
)
from matte.runtime.engine_shapes import EngineShapes, default_shapes
from matte.runtime.engine_store import (
    Engine,
    EngineKey,
    load_engine,
    stale_reason,
    store_engine,
    timing_cache_file,
)
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.gpus import gpu_number
from matte.runtime.session import Session, parse_trained_size

INSTALL_COMMAND = install_command("tensorrt")
# A run opens its networks at once; two builders at a time would disturb each other's timings.
COMPILE_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class CompiledEngine:
    """A stored engine: its file, its key, and how far it is from the reference at each size."""

    path: Path
    key: EngineKey
    engine: Engine
    differences: tuple[EngineDifference, ...]


ONNX_FLOAT32 = 1  # ONNX's number for that type
# Builds a network's engine and returns its plan, the bytes that TensorRT loads.
PlanBuilder = Callable[[NetworkSource, Execution, EngineKey, EngineShapes], bytes]


def open_tensorrt(
    network: NetworkSource, execution: Execution, settings: RuntimeSettings
) -> Session:
    """Open the stored engine of a network.

    One that is missing or stale is built, after a warning, if the settings name TensorRT and allow
    it to compile; otherwise BackendError is raised.
    """
    with _translate_import_errors():
        from matte.runtime.tensorrt import TensorRtSession, engine_key
    key = engine_key(network, execution)
    engine = load_engine(key)
    if engine is None:
        with COMPILE_LOCK:  # another thread may have built it meanwhile
            engine = load_engine(key) or _build_missing(network, execution, key, settings)
    return TensorRtSession(engine, execution)


def compile_network(
    network: NetworkSource,
    execution: Execution,
    reference: Session,
    shapes: EngineShapes | None = None,
    tolerance: tuple[float, float] | None = None,
    build: PlanBuilder | None = None,
    via: str = "onnx",
) -> CompiledEngine:
    """Build a network's engine, compare it with the reference, and store it.

    One that is farther from the reference than `tolerance`, (largest, mean), is not stored.
    """
    with _translate_import_errors():
        from matte.runtime.tensorrt import TensorRtSession, engine_key
    key = engine_key(network, execution)
    inputs, metadata = read_onnx_header(network.path)
    shapes = shapes or default_shapes(inputs, parse_trained_size(metadata))
    plan = (build or build_by_parser)(network, execution, key, shapes)
    engine = Engine(plan, shapes, inputs, metadata, (np.inf, np.inf), via)
    session = TensorRtSession(engine, execution)
    found = tuple(engine_difference(session, reference, size) for size in parity_sizes(shapes))
    check_engine_differences(
        network, execution, found, tolerance or ENGINE_TOLERANCES[execution.precision]
    )
    worst = max(d.largest for d in found), max(d.mean for d in found)
    engine = Engine(plan, shapes, inputs, metadata, worst, via)
    return CompiledEngine(store_engine(network, key, engine), key, engine, found)


def build_by_parser(
    network: NetworkSource, execution: Execution, key: EngineKey, shapes: EngineShapes
) -> bytes:
    """Build a plan by TensorRT's own ONNX parser; the timings taken meanwhile are stored."""
    with _translate_import_errors():
        import onnx
        import torch

        from matte.runtime.engine_builder import build_plan
        from matte.runtime.mixed_precision import to_precision
    model = onnx.load(network.path)
    inputs = _float_inputs(model, network.path)
    model = to_precision(model, execution.precision)
    timing_file = timing_cache_file(key)
    known_timings = b""
    with suppress(OSError):
        known_timings = timing_file.read_bytes()
    with torch.cuda.device(gpu_number(execution.device)):
        plan, timings = build_plan(model.SerializeToString(), inputs, shapes, known_timings)
    with suppress(OSError, OutputError):  # the next build takes longer, no more
        timing_file.parent.mkdir(parents=True, exist_ok=True)
        write_file(timing_file, timings, overwrite=True)
    return plan


def read_onnx_header(path: Path) -> tuple[dict[str, tuple[int | None, ...]], dict[str, str]]:
    """Return an ONNX file's input shapes by name, None for free lengths, and its metadata."""
    with _translate_import_errors():
        import onnx
    try:
        model = onnx.load(path, load_external_data=False)
    # The parser's errors have no common class below Exception.
    except Exception as error:
        raise WeightsError(f"can't read {path}", "give a whole ONNX file") from error
    return _float_inputs(model, path), {entry.key: entry.value for entry in model.metadata_props}


def _float_inputs(model: Any, path: Path) -> dict[str, tuple[int | None, ...]]:
    """Return the model's input shapes by name; raise WeightsError if one is not float32."""
    inputs = {}
    for value in model.graph.input:
        kind = value.type.tensor_type
        if kind.elem_type != ONNX_FLOAT32:
            raise WeightsError(f"{path} takes no float32", "give one that does")
        inputs[value.name] = tuple(
            d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim
        )
    return inputs


def default_reference(network: NetworkSource, settings: RuntimeSettings) -> Session:
    """Return the session that an engine is compared with when it is built on first use.

    Torch where there are torch weights, else ONNX Runtime; on the CPU.
    """
    if network.torch is not None:
        cpu = RuntimeSettings(backend="torch", device="cpu", threads=settings.threads)
        return network.torch(Execution("torch"), cpu)
    from matte.runtime.opener import open_onnx_file

    return open_onnx_file(network.path, threads=settings.threads)


def _build_missing(
    network: NetworkSource, execution: Execution, key: EngineKey, settings: RuntimeSettings
) -> Engine:
    """Build and return an engine that is missing or stale, if the settings allow it."""
    stale = stale_reason(network, key)
    name = network.path.name
    reason = f"the engine of {name} in {execution.precision} does not fit any more: {stale}"
    if settings.backend != "tensorrt" or not settings.compile:
        raise BackendError(
            reason if stale else f"there is no engine of {name} in {execution.precision}",
            f"run 'matte compile {network.path.stem} --precision {execution.precision}'",
        )
    note = f"compiling {name} in {execution.precision} for {key.gpu}, once; it takes minutes"
    warnings.warn(f"{reason}; {note}" if stale else note, MatteWarning, stacklevel=4)
    return compile_network(network, execution, default_reference(network, settings)).engine


@contextmanager
def _translate_import_errors() -> Iterator[None]:
    """Turn errors of importing TensorRT and its companions into BackendError with the remedy."""
    try:
        yield
    except (ImportError, OSError, RuntimeError) as error:  # bindings without their libraries
        if str(getattr(error, "name", "") or "").startswith("matte"):
            raise  # our bug
        reason = str(error).partition("\n")[0]
        raise BackendError(
            f"backend 'tensorrt' can't be loaded ({reason})", INSTALL_COMMAND
        ) from error
