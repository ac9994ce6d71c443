"""Engines of TensorRT made, checked and opened.

TensorRT and torch are imported only where they are needed: whoever asks for an engine that nobody
can have hears it at once.
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
from matte.runtime.engines import (
    Engine,
    Key,
    Shapes,
    Size,
    default_shapes,
    install,
    installed,
    timing_cache,
    why_stale,
)
from matte.runtime.examples import portrait_inputs
from matte.runtime.graphics import gpu_number
from matte.runtime.session import Session, size_told_in
from matte.runtime.ways import Network, Way

INSTALL = install_command("tensorrt")
# Largest and mean difference to the reference, in alpha or probability.
TOLERANCES = {"fp32": (1e-4, 1e-5), "fp16": (1e-2, 1e-3), "bf16": (1e-2, 1e-3)}
# A run opens its networks at once; two builders at a time would disturb each other's timings.
COMPILING = threading.Lock()
COMPARED = 700_000  # pixels at most, where the reference may run on a CPU


@dataclass(frozen=True, slots=True)
class Apart:
    """How far an engine is from the reference at one size."""

    size: Size
    largest: float
    mean: float


@dataclass(frozen=True, slots=True)
class Compiled:
    """An engine that was installed, where, for what, and how far it is from the reference."""

    path: Path
    key: Key
    engine: Engine
    differences: tuple[Apart, ...]


FLOAT = 1  # ONNX's number for float32
# Makes an engine of a network: its plan.
Build = Callable[[Network, Way, Key, Shapes], bytes]


def open_tensorrt(network: Network, way: Way, settings: RuntimeSettings) -> Session:
    """The network's engine, ready to run.

    If there is none that fits, it is built, after that is said; not where the settings forbid it,
    and not where they don't name TensorRT.
    """
    with _loaded():
        from matte.runtime.tensorrt import TensorRtSession, key_of
    key = key_of(network, way)
    engine = installed(key)
    if engine is None:
        with COMPILING:  # another thread may have built it meanwhile
            engine = installed(key) or _missing(network, way, key, settings)
    return TensorRtSession(engine, way)


def compile_network(
    network: Network,
    way: Way,
    reference: Session,
    shapes: Shapes | None = None,
    tolerance: tuple[float, float] | None = None,
    build: Build | None = None,
    via: str = "onnx",
) -> Compiled:
    """Builds the network's engine, compares it with the reference, and installs it.

    One that is farther from the reference than `tolerance`, (largest, mean), is not installed.
    """
    with _loaded():
        from matte.runtime.tensorrt import TensorRtSession, key_of
    key = key_of(network, way)
    inputs, metadata = told_by(network.path)
    shapes = shapes or default_shapes(inputs, size_told_in(metadata))
    plan = (build or build_by_parser)(network, way, key, shapes)
    engine = Engine(plan, shapes, inputs, metadata, (np.inf, np.inf), via)
    session = TensorRtSession(engine, way)
    found = tuple(compared(session, reference, size) for size in sizes_to_compare(shapes))
    refuse(network, way, found, tolerance or TOLERANCES[way.precision])
    worst = max(d.largest for d in found), max(d.mean for d in found)
    engine = Engine(plan, shapes, inputs, metadata, worst, via)
    return Compiled(install(network, key, engine), key, engine, found)


def build_by_parser(network: Network, way: Way, key: Key, shapes: Shapes) -> bytes:
    """The plan by TensorRT's own parser of ONNX; what was learnt of the GPU's timings is kept."""
    with _loaded():
        import onnx
        import torch

        from matte.runtime.building import build_plan
        from matte.runtime.typed import typed
    model = onnx.load(network.path)
    inputs = _inputs(model, network.path)
    model = typed(model, way.precision)
    learnt = timing_cache(key)
    before = b""
    with suppress(OSError):
        before = learnt.read_bytes()
    with torch.cuda.device(gpu_number(way.device)):
        plan, timing = build_plan(model.SerializeToString(), inputs, shapes, before)
    with suppress(OSError, OutputError):  # the next build takes longer, no more
        learnt.parent.mkdir(parents=True, exist_ok=True)
        write_file(learnt, timing, overwrite=True)
    return plan


def told_by(path: Path) -> tuple[dict[str, tuple[int | None, ...]], dict[str, str]]:
    """The inputs of an ONNX file, with None for what is free, and what stands in its metadata."""
    with _loaded():
        import onnx
    try:
        model = onnx.load(path, load_external_data=False)
    # The parser's errors have no common class below Exception.
    except Exception as error:
        raise WeightsError(f"can't read {path}", "give a whole ONNX file") from error
    return _inputs(model, path), {entry.key: entry.value for entry in model.metadata_props}


def _inputs(model: Any, path: Path) -> dict[str, tuple[int | None, ...]]:
    inputs = {}
    for value in model.graph.input:
        kind = value.type.tensor_type
        if kind.elem_type != FLOAT:
            raise WeightsError(f"{path} takes no float32", "give one that does")
        inputs[value.name] = tuple(
            d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim
        )
    return inputs


def first_reference(network: Network, settings: RuntimeSettings) -> Session:
    """What an engine is compared with when it is built on first use: torch where there are torch
    weights, else ONNX Runtime, on the CPU.
    """
    if network.torch is not None:
        cpu = RuntimeSettings(backend="torch", device="cpu", threads=settings.threads)
        return network.torch(Way("torch"), cpu)
    from matte.runtime.opening import open_file

    return open_file(network.path, threads=settings.threads)


def sizes_to_compare(shapes: Shapes) -> tuple[Size, ...]:
    """Several sizes between the smallest and the largest: the usual one, upright, large, small,
    and a batch.
    """
    batch, height, width = _comparable(shapes.usual)
    few, low, narrow = shapes.smallest
    wanted = [
        (batch, height, width),
        (batch, width, height),
        (few, *_comparable(shapes.largest)[1:]),
        (few, max(96, low), max(96, narrow)),
        (min(2, shapes.largest[0]), min(height, 320), min(width, 256)),
    ]
    return tuple(dict.fromkeys(size for size in wanted if shapes.holds(size))) or (shapes.smallest,)


def _comparable(size: Size) -> Size:
    """The size, or less of its shape where it is large."""
    batch, height, width = size
    while height * width > COMPARED:
        height, width = (max(32, length * 3 // 4 // 32 * 32) for length in (height, width))
    return batch, height, width


def compared(session: Session, reference: Session, size: Size) -> Apart:
    """How far the one output of the two is apart on a portrait of that size."""
    given = portrait_inputs(reference.inputs, *size)
    (found,), (expected,) = session.run(given).values(), reference.run(given).values()
    if found.shape != expected.shape:
        raise WeightsError(f"the engine gives {found.shape}, not {expected.shape}", "report it")
    difference = np.abs(found - expected)
    return Apart(size, float(difference.max()), float(difference.mean()))


def refuse(
    network: Network, way: Way, found: tuple[Apart, ...], tolerance: tuple[float, float]
) -> None:
    """Raises if an engine is farther from the reference than it may be."""
    for apart in found:
        # Phrased so that NaN fails.
        if not (apart.largest <= tolerance[0] and apart.mean <= tolerance[1]):
            raise BackendError(
                f"the engine of {network.path.name} in {way.precision} differs by"
                f" {apart.largest:.1e} (mean {apart.mean:.1e}) at"
                f" {'x'.join(map(str, apart.size))} and is not installed",
                "use --precision fp32" if way.precision != "fp32" else "give a --tolerance",
            )


def _missing(network: Network, way: Way, key: Key, settings: RuntimeSettings) -> Engine:
    """The engine, built now if that may be."""
    stale = why_stale(network, key)
    name = network.path.name
    reason = f"the engine of {name} in {way.precision} does not fit any more: {stale}"
    if settings.backend != "tensorrt" or not settings.compile:
        raise BackendError(
            reason if stale else f"there is no engine of {name} in {way.precision}",
            f"run 'matte compile {network.path.stem} --precision {way.precision}'",
        )
    told = f"compiling {name} in {way.precision} for {key.gpu}, once; it takes minutes"
    warnings.warn(f"{reason}; {told}" if stale else told, MatteWarning, stacklevel=4)
    return compile_network(network, way, first_reference(network, settings)).engine


@contextmanager
def _loaded() -> Iterator[None]:
    """Around imports of TensorRT and what it needs: what is missing is said with the remedy."""
    try:
        yield
    except (ImportError, OSError, RuntimeError) as error:  # bindings without their libraries
        if str(getattr(error, "name", "") or "").startswith("matte"):
            raise  # our bug
        reason = str(error).partition("\n")[0]
        raise BackendError(f"backend 'tensorrt' can't be loaded ({reason})", INSTALL) from error
