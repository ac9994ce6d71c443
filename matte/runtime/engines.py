"""Engines of TensorRT on disk: what each was built from and for, and whether it still fits.

An engine runs only on the kind of GPU and with the version of TensorRT that built it. It lies in
the cache as PRECISION-KEY.engine, and beside it, as .json, what it is. Nothing here imports
TensorRT or torch.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from matte.configs.places import cache
from matte.errors import SettingError
from matte.files import make_folder, write_files
from matte.runtime.graphics import gpu_number, nvidia_gpus
from matte.runtime.ways import Abilities, Network, Way

# Names that TensorRT has been installed under.
PACKAGES = (
    "tensorrt",
    "tensorrt-cu13",
    "tensorrt-cu12",
    "tensorrt-cu13-bindings",
    "tensorrt-cu12-bindings",
)
PRECISIONS = ("fp16", "bf16", "fp32")
MULTIPLE = 32
# What refiners see: tiles and small copies mostly, whole pictures of 2.4 megapixels and a border
# at most, unless every picture is to be seen whole. The attention's products have
# batch × (height × width / 256)² elements, and TensorRT refuses 2³¹: no more fits at once.
USUAL_REFINED = (4, 160, 160)
LARGEST_REFINED = (4, 2432, 2432)
LARGEST_SEEN = 1024  # by networks that see a small copy of the picture
TOGETHER = 8  # small copies at once

Size = tuple[int, int, int]  # batch, height, width


@dataclass(frozen=True, slots=True)
class Shapes:
    """What an engine takes: the smallest, what it is made fast for, the largest."""

    smallest: Size
    usual: Size
    largest: Size

    def __post_init__(self) -> None:
        for size in (self.smallest, self.usual, self.largest):
            if min(size) < 1 or any(length % MULTIPLE for length in size[1:]):
                raise SettingError(_told(size), f"give heights and widths in {MULTIPLE}s")
        for less, more in ((self.smallest, self.usual), (self.usual, self.largest)):
            if any(a > b for a, b in zip(less, more, strict=True)):
                raise SettingError(
                    f"{_told(less)} is larger than {_told(more)}", "give --min ≤ --opt ≤ --max"
                )

    def holds(self, size: Size) -> bool:
        """Whether an engine of these shapes takes that size."""
        bounds = zip(self.smallest, size, self.largest, strict=True)
        return all(least <= length <= most for least, length, most in bounds)

    def __str__(self) -> str:
        return f"{_told(self.smallest)} to {_told(self.largest)}"


@dataclass(frozen=True, slots=True)
class Key:
    """What an engine is made of and for; any other of these needs another engine."""

    network: str  # SHA-256 of the ONNX file
    tensorrt: str
    gpu: str  # as its driver calls it
    capability: str  # to compute: 9.0
    precision: str

    def __str__(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine and what is told of it."""

    plan: bytes = field(repr=False)
    shapes: Shapes
    inputs: dict[str, tuple[int | None, ...]]
    metadata: dict[str, str]  # of the ONNX file
    difference: tuple[float, float]  # to the reference, largest and mean
    via: str = "onnx"


def default_shapes(inputs: Mapping[str, tuple[int | None, ...]], size: int = 0) -> Shapes:
    """For a network with those inputs that was trained at `size`: refiners take tiles and whole
    pictures, the others small copies.
    """
    if len(inputs) > 1:
        return Shapes((1, 64, 64), USUAL_REFINED, LARGEST_REFINED)
    size = max(MULTIPLE, size // MULTIPLE * MULTIPLE) if size else 512
    side = max(LARGEST_SEEN, 2 * size)
    return Shapes((1, MULTIPLE, MULTIPLE), (1, size, size), (TOGETHER, side, side))


def parsed_size(text: str) -> Size:
    """`1088x1920` or, with a batch, `4x1088x1920`."""
    try:
        lengths = [int(part) for part in text.lower().replace("×", "x").split("x")]
    except ValueError:
        lengths = []
    if not 2 <= len(lengths) <= 3:
        raise SettingError(f"the size {text!r}", "give HEIGHTxWIDTH or BATCHxHEIGHTxWIDTH")
    batch, height, width = lengths if len(lengths) == 3 else (1, *lengths)
    return batch, height, width


def install(network: Network, key: Key, engine: Engine) -> Path:
    """Keeps an engine; those of the same file and GPU that fit no more go."""
    target = _place(key)
    make_folder(target.parent)
    told = {
        **asdict(key),
        "path": str(network.path.resolve()),
        "shapes": asdict(engine.shapes),
        "inputs": engine.inputs,
        "metadata": engine.metadata,
        "difference": engine.difference,
        "via": engine.via,
        "sha256": hashlib.sha256(engine.plan).hexdigest(),
    }
    text = json.dumps(told, indent=1).encode()
    write_files([(target, engine.plan), (target.with_suffix(".json"), text)], overwrite=True)
    for file, row in _others(network, key):
        if row["gpu"] == key.gpu:
            for old in (file, file.with_suffix(".engine")):
                with suppress(OSError):
                    old.unlink(missing_ok=True)
    return target


def installed(key: Key) -> Engine | None:
    """The engine for that very key, if it is there and whole."""
    place = _place(key)
    try:
        plan = place.read_bytes()
        told = json.loads(place.with_suffix(".json").read_bytes())
        if hashlib.sha256(plan).hexdigest() != told["sha256"]:
            return None
        sizes = {name: _size(size) for name, size in told["shapes"].items()}
        inputs = {name: tuple(shape) for name, shape in told["inputs"].items()}
        largest, mean = told["difference"]
        shapes = Shapes(**sizes)
        return Engine(plan, shapes, inputs, told["metadata"], (largest, mean), told["via"])
    except (OSError, ValueError, KeyError, TypeError, SettingError):
        return None


def why_stale(network: Network, key: Key) -> str:
    """Why the engines that were built for this file fit no more; empty if there is none."""
    reasons = []
    if _place(key).exists() and installed(key) is None:
        reasons.append("it is damaged")
    for _, row in _others(network, key):
        if row["network"] != key.network:
            reasons.append("the network has changed")
        elif row["tensorrt"] != key.tensorrt:
            reasons.append(f"TensorRT was {row['tensorrt']} and is {key.tensorrt}")
        else:
            reasons.append(f"it was built for {row['gpu']} {row['capability']}")
    return reasons[0] if reasons else ""


def is_built(network: Network, way: Way) -> bool:
    """Whether there is an engine for that way that seems to fit; it is not opened."""
    gpus = nvidia_gpus()
    number = gpu_number(way.device)
    if number >= len(gpus):
        return False
    wanted = (tensorrt_version(), gpus[number], way.precision)
    rows = [row for _, row in _rows()]
    fitting = [r for r in rows if (r["tensorrt"], r["gpu"], r["precision"]) == wanted]
    return bool(fitting) and digest(network) in {row["network"] for row in fitting}


def engines_of(network: Network) -> tuple[str, ...]:
    """The names of the engines that were built of this network."""
    rows = list(_rows())
    own = digest(network) if rows else ""
    return tuple(file.stem for file, row in rows if row["network"] == own)


def abilities() -> Abilities:
    """What TensorRT has, by device: nothing where there is no GPU of NVIDIA's."""
    return {f"gpu:{number}": PRECISIONS for number in range(len(nvidia_gpus()))}


def timing_cache(key: Key) -> Path:
    """The file of what TensorRT measured while it built engines for that GPU and version."""
    facts = (key.tensorrt, key.gpu, key.capability)
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return cache() / "tensorrt" / f"{name}.timing"


def tensorrt_version() -> str:
    """The version of TensorRT that is installed, without importing it; empty if none is."""
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            return plain_version(version(package))
    return ""


def plain_version(told: str) -> str:
    """The version without what says how it was packed: 10.14.1.48.post1 is 10.14.1.48."""
    return told.partition(".post")[0]


def digest(network: Network) -> str:
    """SHA-256 of the network's file."""
    return hashlib.sha256(network.path.read_bytes()).hexdigest()


def _place(key: Key) -> Path:
    return cache() / "tensorrt" / f"{key.precision}-{key}.engine"


def _others(network: Network, key: Key) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What lies there for the same file and precision under other keys."""
    own = _place(key).with_suffix(".json")
    for file, row in _rows():
        same = (row["path"], row["precision"]) == (str(network.path.resolve()), key.precision)
        if same and file != own:
            yield file, row


def _rows() -> Iterator[tuple[Path, dict[str, Any]]]:
    """What is told of each engine; files that tell nothing are passed over."""
    for file in sorted((cache() / "tensorrt").glob("*.json")):
        with suppress(OSError, ValueError):
            row = json.loads(file.read_bytes())
            if {"path", "precision", "network", "tensorrt", "gpu", "capability"} <= set(row):
                yield file, row


def _size(lengths: list[int]) -> Size:
    batch, height, width = lengths
    return batch, height, width


def _told(size: Size) -> str:
    return "x".join(map(str, size))
