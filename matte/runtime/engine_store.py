"""TensorRT engines on disk: stored, loaded, and checked for whether they still fit.

An engine runs only on the kind of GPU and with the version of TensorRT that built it. It lies in
the cache as PRECISION-KEY.engine, and beside it, as .json, what it is. Nothing here imports
TensorRT or torch.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from matte.configs.places import cache_folder
from matte.errors import SettingError
from matte.files import make_folder, write_files
from matte.onnx_files import network_digest
from matte.runtime.engine_shapes import EngineShapes, as_input_size
from matte.runtime.execution import DevicePrecisions, Execution, NetworkSource
from matte.runtime.gpus import gpu_number, nvidia_gpus
from matte.runtime.records import read_record

# Names that TensorRT has been installed under.
TENSORRT_PACKAGES = (
    "tensorrt",
    "tensorrt-cu13",
    "tensorrt-cu12",
    "tensorrt-cu13-bindings",
    "tensorrt-cu12-bindings",
)
ENGINE_FACTS = ("path", "precision", "network", "tensorrt", "gpu", "capability")
ENGINE_PRECISIONS = ("fp16", "bf16", "fp32")


@dataclass(frozen=True, slots=True)
class EngineKey:
    """The facts that an engine depends on: if one of them changes, another has to be built."""

    network: str  # SHA-256 of the ONNX file
    tensorrt: str
    gpu: str  # as its driver calls it
    capability: str  # the compute capability of the GPU: 9.0
    precision: str

    def __str__(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine in memory, with its shapes and its difference to the reference."""

    plan: bytes = field(repr=False)
    shapes: EngineShapes
    inputs: dict[str, tuple[int | None, ...]]
    metadata: dict[str, str]  # of the ONNX file
    difference: tuple[float, float]  # to the reference, largest and mean
    via: str = "onnx"


def store_engine(network: NetworkSource, key: EngineKey, engine: Engine) -> Path:
    """Write an engine and return its file; stale ones of the same network and GPU are removed."""
    target = _engine_file(key)
    make_folder(target.parent)
    facts = {
        **asdict(key),
        "path": str(network.path.resolve()),
        "shapes": asdict(engine.shapes),
        "inputs": engine.inputs,
        "metadata": engine.metadata,
        "difference": engine.difference,
        "via": engine.via,
        "sha256": hashlib.sha256(engine.plan).hexdigest(),
    }
    text = json.dumps(facts, indent=1).encode()
    write_files([(target, engine.plan), (target.with_suffix(".json"), text)], overwrite=True)
    for file, row in _other_engines(network, key):
        if row["gpu"] == key.gpu:
            for old in (file, file.with_suffix(".engine")):
                with suppress(OSError):
                    old.unlink(missing_ok=True)
    return target


def load_engine(key: EngineKey) -> Engine | None:
    """Return the stored engine of exactly that key; None if there is none or it is damaged."""
    file = _engine_file(key)
    try:
        plan = file.read_bytes()
        facts = read_record(file.with_suffix(".json"))
        if hashlib.sha256(plan).hexdigest() != facts["sha256"]:
            return None
        sizes = {name: as_input_size(size) for name, size in facts["shapes"].items()}
        inputs = {name: tuple(shape) for name, shape in facts["inputs"].items()}
        largest, mean = facts["difference"]
        shapes = EngineShapes(**sizes)
        return Engine(plan, shapes, inputs, facts["metadata"], (largest, mean), facts["via"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SettingError):
        return None


def stale_reason(network: NetworkSource, key: EngineKey) -> str:
    """Return why the stored engines of a network do not fit the key; empty if none is stored."""
    reasons = []
    if os.path.exists(_engine_file(key)) and load_engine(key) is None:
        reasons.append("it is damaged")
    for _, row in _other_engines(network, key):
        if row["network"] != key.network:
            reasons.append("the network has changed")
        elif row["tensorrt"] != key.tensorrt:
            reasons.append(f"TensorRT was {row['tensorrt']} and is {key.tensorrt}")
        else:
            reasons.append(f"it was built for {row['gpu']} {row['capability']}")
    return reasons[0] if reasons else ""


def has_engine(network: NetworkSource, execution: Execution) -> bool:
    """Return whether an engine that seems to fit is stored for an execution; it is not read."""
    gpus = nvidia_gpus()
    number = gpu_number(execution.device)
    if number >= len(gpus):
        return False
    wanted = (installed_tensorrt_version(), gpus[number], execution.precision)
    rows = [row for _, row in _engine_rows()]
    fitting = [r for r in rows if (r["tensorrt"], r["gpu"], r["precision"]) == wanted]
    return bool(fitting) and file_digest(network) in {row["network"] for row in fitting}


def engine_names(network: NetworkSource) -> tuple[str, ...]:
    """Return the names of the stored engines of a network."""
    rows = list(_engine_rows())
    own = file_digest(network) if rows else ""
    return tuple(file.stem for file, row in rows if row["network"] == own)


def device_precisions() -> DevicePrecisions:
    """Return TensorRT's precisions by device; nothing where there is no NVIDIA GPU."""
    return {f"gpu:{number}": ENGINE_PRECISIONS for number in range(len(nvidia_gpus()))}


def timing_cache_file(key: EngineKey) -> Path:
    """Return the file of the timings that TensorRT took while it built engines for that GPU."""
    facts = (key.tensorrt, key.gpu, key.capability)
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return cache_folder() / "tensorrt" / f"{name}.timing"


def installed_tensorrt_version() -> str:
    """Return the installed version of TensorRT, without importing it; empty if none is."""
    for package in TENSORRT_PACKAGES:
        with suppress(PackageNotFoundError):
            return public_version(version(package))
    return ""


def public_version(full: str) -> str:
    """Return a version without its packaging suffix: 10.14.1.48 for 10.14.1.48.post1."""
    return full.partition(".post")[0]


def file_digest(network: NetworkSource) -> str:
    """Return the SHA-256 of a network's ONNX file, with its external data."""
    return network_digest(network.path)


def _engine_file(key: EngineKey) -> Path:
    """Return where the engine of that key lies."""
    return cache_folder() / "tensorrt" / f"{key.precision}-{key}.engine"


def _other_engines(network: NetworkSource, key: EngineKey) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield (file, facts) of stored engines of the same network and precision, but other keys."""
    own = _engine_file(key).with_suffix(".json")
    for file, row in _engine_rows():
        same = (row["path"], row["precision"]) == (str(network.path.resolve()), key.precision)
        if same and file != own:
            yield file, row


def _engine_rows() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield (file, facts) of each stored engine; files that can't be read are skipped."""
    for file in sorted((cache_folder() / "tensorrt").glob("*.json")):
        row = read_record(file)
        if all(isinstance(row.get(fact), str) for fact in ENGINE_FACTS):
            yield file, row
