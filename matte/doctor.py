"""What is installed and what of it works."""

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import matte
from matte.arrays import Image
from matte.configs.loader import merge_settings
from matte.configs.places import cache_folder, settings_file, weights_folder
from matte.configs.settings import RuntimeSettings, SegmentationSettings
from matte.errors import MatteError, install_command
from matte.pipeline.networks import TORCH_SESSIONS, as_runtime_network, open_weights
from matte.registry import resolve
from matte.runtime.backends import (
    BACKEND_PACKAGES,
    DEVICE_PRECISIONS,
    INSTALL_COMMANDS,
    NO_GPU_REASONS,
)
from matte.runtime.execution import DevicePrecisions
from matte.runtime.execution_memo import remembered_execution
from matte.runtime.gpus import NO_NVIDIA_GPU, nvidia_gpus
from matte.runtime.machine import system_name
from matte.runtime.threads import usable_threads
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.weights.store import all_weights, find_weights, storage_status

BASE = ("numpy", "opencv-python-headless", "Pillow", "click")
EXTRAS = {
    "torch": ("torch", "training and export"),
    "segmentation-models-pytorch": ("torch", "training and export"),
    "pymatting": ("classical", "the refiner 'closed-form'"),
}
KINDS = tuple(TORCH_SESSIONS)  # of networks that are run
BUILDERS = ("onnx-tensorrt", "tensorrt")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` is the command that mends it."""

    name: str
    works: bool
    needed: bool
    told: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """Everything that `matte image` and its options lean on."""
    return [*_packages(), *_weights(), *_graphics(), *_runtimes(), *_choices(), *_places()]


def _packages() -> Iterator[Finding]:
    machine = f"{system_name()}, {usable_threads()} threads"
    yield Finding("python", True, True, f"{platform.python_version()} on {machine}")
    yield Finding("matte", True, True, matte.__version__)
    for name in BASE:
        yield _package(name, True, f"pip install {name}", "")
    for name, (extra, use) in EXTRAS.items():
        yield _package(name, False, install_command(extra), f", for {use}")


def _package(name: str, needed: bool, remedy: str, use: str) -> Finding:
    try:
        return Finding(name, True, needed, version(name) + use)
    except PackageNotFoundError:
        return Finding(name, False, needed, "not installed" + use, remedy)


def _weights() -> Iterator[Finding]:
    for name, weights in all_weights().items():
        if storage_status(weights) == "not fetched":
            continue
        told = f"{weights.kind}, {weights.path}"
        try:
            weights.check()
            yield Finding(f"weights {name}", True, True, told)
        except MatteError as error:
            yield Finding(f"weights {name}", False, True, error.cause, error.remedy)


def _graphics() -> Iterator[Finding]:
    names = nvidia_gpus()
    yield Finding("gpu", bool(names), False, ", ".join(names) or NO_NVIDIA_GPU)


def _runtimes() -> Iterator[Finding]:
    """What each runtime has, and that it finds a mask there with the default network."""
    found = [_runtime(backend, package) for backend, package in BACKEND_PACKAGES.items()]
    any_works = any(f.works for f in found)
    for finding in found:
        yield replace(finding, needed=not any_works)


def _runtime(backend: str, package: str) -> Finding:
    name = f"runtime {backend}"
    remedy = INSTALL_COMMANDS.get(backend, f"pip install {package}")
    told = replace(_package(package, False, remedy, ""), name=name)
    if not find_spec(package):
        return replace(told, works=False, remedy=remedy)
    try:
        there: DevicePrecisions = resolve("backend", DEVICE_PRECISIONS, backend)()
        devices = [f"{device} ({', '.join(there[device])})" for device in there]
        words = [told.told, *devices]
        # The package that brings a module may be called otherwise: onnxruntime-gpu.
        if not told.works:
            words[0] = "installed"
        if why := str(resolve("backend", NO_GPU_REASONS, backend)()):
            words.append(f"no GPU: {why}")
        if not there:
            return Finding(name, False, False, "; ".join(words))
        return Finding(name, True, False, "; ".join([*words, *_tried(backend, there)]))
    except MatteError as error:
        return Finding(name, False, False, str(error))


def _tried(backend: str, there: DevicePrecisions) -> Iterator[str]:
    """That a mask is found on each device; engines take minutes to build, and are not tried."""
    if backend in BUILDERS:
        return
    picture, settings = Image(np.full((64, 64, 3), 128, np.uint8)), SegmentationSettings()
    weights = find_weights("segmenter", settings.segmenter)
    if backend == "torch" and weights.torch_path is None:
        yield f"{settings.segmenter!r} has no torch weights"
        return
    for device in there:
        asked: Any = {"backend": backend, "device": device, "precision": "fp32"}
        session = open_weights(weights, RuntimeSettings(**asked))
        LetterboxedSegmenter(session, settings, weights.size).segment(picture)
        yield f"runs {settings.segmenter!r} on {device}"


def _choices() -> Iterator[Finding]:
    """What `--backend auto` has learnt on this machine, with default settings."""
    for name, weights in all_weights().items():
        if weights.kind in KINDS and storage_status(weights) != "not fetched":
            execution = remembered_execution(as_runtime_network(weights), RuntimeSettings())
            if execution is not None:
                yield Finding(f"auto {name}", True, False, f"{execution}: {execution.why}")


def _places() -> Iterator[Finding]:
    own = settings_file()
    try:
        merge_settings(file=own if own.exists() else None)
        yield Finding("settings file", True, False, _there(own))
    except MatteError as error:
        yield Finding("settings file", False, True, error.cause, error.remedy)
    for name, path in (("own weights", weights_folder()), ("cache", cache_folder())):
        yield Finding(name, True, False, _there(path))


def _there(path: Path) -> str:
    return str(path) if path.exists() else f"{path}, not there yet"
