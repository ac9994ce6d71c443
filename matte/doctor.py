"""The examination of an installation: what is there, what works, and what would mend the rest."""

import os
import platform
from collections.abc import Iterator, Sequence
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

BASE_PACKAGES = ("numpy", "opencv-python-headless", "Pillow", "click")
# What each extra is for, and the packages that it brings besides those of other extras.
EXTRAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "heif": ("HEIC pictures", ("pillow-heif",)),
    "exr": ("writing OpenEXR", ("OpenEXR",)),
    "classical": ("the refiner 'closed-form'", ("pymatting",)),
    "webcam": ("the window of matte webcam", ("pygame-ce",)),
    "serve": ("matte serve", ("starlette", "uvicorn", "python-multipart")),
    "stores": ("s3:// addresses", ("obstore",)),
    "fleet": ("matte fleet", ("ray",)),
    "torch": (
        "running and exporting networks by torch",
        (
            "torch",
            "timm",
            "segmentation-models-pytorch",
            "onnx",
            "onnxslim",
            "safetensors",
            "h5py",
        ),
    ),
    "train": ("matte train", ("lightning-fabric", "tensorboard", "tflite")),
    "tensorrt": ("engines for NVIDIA's GPUs", ("tensorrt",)),
    "quantise": ("networks in int8", ("nncf",)),
    "phone": (
        "networks for phones, in an environment of its own",
        ("ai-edge-litert", "ai-edge-quantizer", "litert-torch"),
    ),
}
# Packages with the same interface that may be there in place of others.
REPLACEMENTS = {"pillow-heif": "pi-heif"}
NETWORK_KINDS = tuple(TORCH_SESSIONS)  # that are run
ENGINE_BACKENDS = ("onnx-tensorrt", "tensorrt")


@dataclass(frozen=True, slots=True)
class ExaminedPart:
    """One part of the installation: whether it works, whether it is needed, what was found.

    `remedy` is the command that mends it.
    """

    name: str
    works: bool
    needed: bool
    details: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the part in plain JSON values; `details` is called "told" there, as in 0.1."""
        row = asdict(self)
        return {"told" if key == "details" else key: value for key, value in row.items()}


def examine() -> list[ExaminedPart]:
    """Return every part that `matte image` and its options need, examined.

    >>> [part.name for part in examine() if part.needed and not part.works]
    []
    """
    return [
        *_packages(),
        *_weights(),
        *_graphics(),
        *_runtimes(),
        *_chosen_executions(),
        *_user_files(),
    ]


def _packages() -> Iterator[ExaminedPart]:
    """Yield Python, matte, the packages that it needs, and its extras."""
    machine = f"{system_name()}, {usable_threads()} threads"
    yield ExaminedPart("python", True, True, f"{platform.python_version()} on {machine}")
    yield ExaminedPart("matte", True, True, matte.__version__)
    for name in BASE_PACKAGES:
        yield _package(name, True, f"pip install {name}")
    for extra, (use, packages) in EXTRAS.items():
        yield _extra(extra, use, packages)


def _package(name: str, needed: bool, remedy: str) -> ExaminedPart:
    """Return the version of a package."""
    try:
        return ExaminedPart(name, True, needed, version(name))
    except PackageNotFoundError:
        return ExaminedPart(name, False, needed, "not installed", remedy)


def _extra(extra: str, use: str, packages: Sequence[str]) -> ExaminedPart:
    """Return whether an extra's packages are here, with the first one's version, and its use."""
    found: list[ExaminedPart] = []
    for name in packages:
        part = _package(name, False, "")
        if not part.works and name in REPLACEMENTS:
            part = _package(REPLACEMENTS[name], False, "")
        found.append(part if part.works else replace(part, name=name))
    lacking = ", ".join(part.name for part in found if not part.works)
    if lacking:
        details = f"for {use}; {lacking} not installed"
        return ExaminedPart(f"extra {extra}", False, False, details, install_command(extra))
    details = f"for {use}; {found[0].name} {found[0].details}"
    return ExaminedPart(f"extra {extra}", True, False, details)


def _weights() -> Iterator[ExaminedPart]:
    """Yield every network whose weights are here, and whether its file is whole."""
    for name, weights in all_weights().items():
        if storage_status(weights) == "not fetched":
            continue
        details = f"{weights.kind}, {weights.path}"
        try:
            weights.check()
            yield ExaminedPart(f"weights {name}", True, True, details)
        except MatteError as error:
            yield ExaminedPart(f"weights {name}", False, True, error.cause, error.remedy)


def _graphics() -> Iterator[ExaminedPart]:
    """Yield the NVIDIA GPUs."""
    names = nvidia_gpus()
    yield ExaminedPart("gpu", bool(names), False, ", ".join(names) or NO_NVIDIA_GPU)


def _runtimes() -> Iterator[ExaminedPart]:
    """Yield every runtime with its devices, after it has run the default network on each."""
    parts = [_runtime(backend, package) for backend, package in BACKEND_PACKAGES.items()]
    any_works = any(part.works for part in parts)
    for part in parts:
        yield replace(part, needed=not any_works)


def _runtime(backend: str, package: str) -> ExaminedPart:
    """Return what is installed of a runtime, on which devices it runs, and whether it does."""
    name = f"runtime {backend}"
    remedy = INSTALL_COMMANDS.get(backend, f"pip install {package}")
    package_part = replace(_package(package, False, remedy), name=name)
    if not find_spec(package):
        return replace(package_part, works=False, remedy=remedy)
    try:
        precisions: DevicePrecisions = resolve("backend", DEVICE_PRECISIONS, backend)()
        devices = [f"{device} ({', '.join(precisions[device])})" for device in precisions]
        words = [package_part.details, *devices]
        # The package that brings a module may be called otherwise: onnxruntime-gpu.
        if not package_part.works:
            words[0] = "installed"
        if why := str(resolve("backend", NO_GPU_REASONS, backend)()):
            words.append(f"no GPU: {why}")
        if not precisions:
            return ExaminedPart(name, False, False, "; ".join(words))
        return ExaminedPart(
            name, True, False, "; ".join([*words, *_test_runs(backend, precisions)])
        )
    except MatteError as error:
        return ExaminedPart(name, False, False, str(error))


def _test_runs(backend: str, precisions: DevicePrecisions) -> Iterator[str]:
    """Run the default segmenter on each device; yield a line on each.

    Engines take minutes to build, and are not tried.
    """
    if backend in ENGINE_BACKENDS:
        return
    picture, settings = Image(np.full((64, 64, 3), 128, np.uint8)), SegmentationSettings()
    weights = find_weights("segmenter", settings.segmenter)
    for device in precisions:
        if backend == "torch" and device == "cpu":
            continue  # the slowest there: nobody's run takes it unless it is named
        options: Any = {"backend": backend, "device": device, "precision": "fp32"}
        session = open_weights(weights, RuntimeSettings(**options))
        LetterboxedSegmenter(session, settings, weights.size).segment(picture)
        yield f"runs {settings.segmenter!r} on {device}"


def _chosen_executions() -> Iterator[ExaminedPart]:
    """Yield what `--backend auto` has chosen on this machine, with default settings."""
    for name, weights in all_weights().items():
        if weights.kind in NETWORK_KINDS and storage_status(weights) != "not fetched":
            execution = remembered_execution(as_runtime_network(weights), RuntimeSettings())
            if execution is not None:
                yield ExaminedPart(f"auto {name}", True, False, f"{execution}: {execution.why}")


def _user_files() -> Iterator[ExaminedPart]:
    """Yield the settings file, and the folders that matte keeps for this user."""
    own = settings_file()
    try:
        merge_settings(file=own if os.path.exists(own) else None)
        yield ExaminedPart("settings file", True, False, _describe_path(own))
    except MatteError as error:
        yield ExaminedPart("settings file", False, True, error.cause, error.remedy)
    for name, path in (("own weights", weights_folder()), ("cache", cache_folder())):
        yield ExaminedPart(name, True, False, _describe_path(path))


def _describe_path(path: Path) -> str:
    """Return the path, and in words if nothing is there yet."""
    return str(path) if os.path.exists(path) else f"{path}, not there yet"
