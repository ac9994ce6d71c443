"""What is installed and what of it works."""

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from matte.arrays import Image
from matte.configs.loader import settle
from matte.configs.places import cache, stored_weights, user_config
from matte.configs.settings import RuntimeSettings, SegmentationSettings
from matte.errors import MatteError
from matte.pipeline.build import session_for
from matte.runtime.opening import PACKAGES
from matte.runtime.threads import usable_threads
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.weights.store import all_weights, find, place

BASE = ("numpy", "opencv-python-headless", "Pillow", "click")
EXTRAS = {
    "torch": ("torch", "training and export"),
    "segmentation-models-pytorch": ("torch", "training and export"),
    "pymatting": ("classical", "the refiner 'closed-form'"),
}


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
    return [*_packages(), *_weights(), *_runtimes(), *_places()]


def _packages() -> Iterator[Finding]:
    machine = f"{platform.system()} {platform.machine()}, {usable_threads()} threads"
    yield Finding("python", True, True, f"{platform.python_version()} on {machine}")
    yield _package("matte", True, "reinstall matte", "")
    for name in BASE:
        yield _package(name, True, f"pip install {name}", "")
    for name, (extra, use) in EXTRAS.items():
        yield _package(name, False, f"pip install 'matte[{extra}]'", f", for {use}")


def _package(name: str, needed: bool, remedy: str, use: str) -> Finding:
    try:
        return Finding(name, True, needed, version(name) + use)
    except PackageNotFoundError:
        return Finding(name, False, needed, "not installed" + use, remedy)


def _weights() -> Iterator[Finding]:
    for name, weights in all_weights().items():
        if place(weights) == "not fetched":
            continue
        told = f"{weights.kind}, {weights.path}"
        try:
            weights.check()
            yield Finding(f"weights {name}", True, True, told)
        except MatteError as error:
            yield Finding(f"weights {name}", False, True, error.cause, error.remedy)


def _runtimes() -> Iterator[Finding]:
    """Each runtime finds the same mask with the default network, or is said to fail."""
    picture = Image(np.full((64, 64, 3), 128, np.uint8))
    settings = SegmentationSettings()
    found = []
    for backend, package in PACKAGES.items():
        runtime: Any = backend
        told = _package(package, False, f"pip install {package}", "")
        if told.works:
            try:
                weights = find("segmenter", settings.segmenter)
                session = session_for(weights, RuntimeSettings(backend=runtime))
                LetterboxedSegmenter(session, settings, weights.size).segment(picture)
                told = replace(told, told=f"{told.told}, runs {settings.segmenter!r} on the CPU")
            except MatteError as error:
                told = Finding(backend, False, False, str(error))
        found.append(replace(told, name=f"runtime {backend}"))
    any_works = any(f.works for f in found)
    for finding in found:
        yield replace(finding, needed=not any_works)


def _places() -> Iterator[Finding]:
    own = user_config()
    try:
        settle(file=own if own.exists() else None)
        yield Finding("settings file", True, False, _there(own))
    except MatteError as error:
        yield Finding("settings file", False, True, error.cause, error.remedy)
    for name, path in (("own weights", stored_weights()), ("cache", cache())):
        yield Finding(name, True, False, _there(path))


def _there(path: Path) -> str:
    return str(path) if path.exists() else f"{path}, not there yet"
