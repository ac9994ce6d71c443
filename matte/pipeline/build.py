"""From settings to a pipeline that is ready to run."""

import copy
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from matte.arrays import as_image
from matte.configs.loader import DEFAULT_PRESET, Settled, settle, values
from matte.configs.settings import Config, RuntimeSettings
from matte.errors import BackendError, SettingError, WeightsError
from matte.media.pictures import read_image
from matte.modnet.adapter import Modnet
from matte.pipeline.lines import Line, TrimapFree, TwoStage
from matte.refiner import REFINERS
from matte.refiner.gca import PIXELS, Gca
from matte.registry import resolve
from matte.runtime.session import Session, open_session, usable_threads
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.stages import Matte, Refiner
from matte.weights.store import Weights, find

# What makes a torch session of a stored network, by its kind.
TORCH = {
    "modnet": "matte.modnet.checkpoint:torch_session",
    "refiner": "matte.refiner.checkpoint:torch_session",
    "segmenter": "matte.segmentation.network:torch_session",
}
PROTOCOLS = {"modnet": ("official", "native"), "refiner": ("demo", "tester")}


class Pipeline:
    """Mattes pictures, one after the other, with networks that stay loaded."""

    def __init__(self, line: Line, facts: dict[str, Any]) -> None:
        """`facts` is what every picture's report begins with."""
        self._line = line
        self._facts = facts

    def __call__(self, image: NDArray[Any] | str | Path) -> Matte:
        """The matte of a picture: a path, or RGB as uint8 or uint16 (H, W, 3)."""
        picture = read_image(Path(image)) if isinstance(image, str | Path) else as_image(image)
        matte = self._line.run(picture)
        height, width = picture.shape[:2]
        facts = copy.deepcopy(self._facts)  # a report is the caller's to change
        return replace(matte, report={**facts, "width": width, "height": height, **matte.report})


def load(preset: str = DEFAULT_PRESET, **overrides: Any) -> Pipeline:
    """The pipeline of a preset, any setting of it overridden by its name: `load("fast", k=5)`.

    Settings are those of `matte config show`; the user's own settings file is not read.
    """
    if not isinstance(preset, str):
        raise SettingError(f"preset = {preset!r}", "give the name of one")
    return build(settle(preset, flags=overrides))


def build(settled: Settled) -> Pipeline:
    """The pipeline that the settings ask for: without a trimap if they name a MODNet."""
    config = settled.config
    line, backends = _trimap_free(config) if config.modnet.modnet else _two_stage(config)
    facts = {"preset": settled.preset, "backends": backends, "settings": values(config)}
    return Pipeline(line, facts)


def build_refiner(config: Config) -> tuple[Refiner, dict[str, str]]:
    """The refiner that the settings name, and the backend of its network if it has one."""
    name = config.refiner.refiner
    if name in REFINERS:
        refiner: Refiner = resolve("refiner", REFINERS, name)()
        return refiner, {}
    protocol = _protocol("refiner", config.runtime)
    session = session_for(find("refiner", name, REFINERS), config.runtime)
    # Who names a protocol wants the very result, whatever it takes.
    pixels = PIXELS if config.runtime.protocol == "auto" else 0
    return Gca(session, protocol, pixels), {"refiner": session.backend}


def session_for(weights: Weights, settings: RuntimeSettings) -> Session:
    """The network ready to run: its torch weights where those are asked for, else its ONNX file."""
    has_torch = find_spec("torch") is not None
    exact = settings.backend == "auto" and settings.protocol != "auto"
    if settings.backend != "torch" and not (exact and weights.torch_path and has_torch):
        return open_session(weights.path, settings)
    if weights.torch_path is None:
        raise WeightsError(
            f"{weights.path.name} has no torch weights", "use --backend onnx or openvino"
        )
    if not has_torch:
        raise BackendError("backend 'torch' is not installed", "pip install 'matte[torch]'")
    make = resolve("kind", TORCH, weights.kind)
    session: Session = make(weights.torch_path, settings.threads or usable_threads())
    return session


def _two_stage(config: Config) -> tuple[Line, dict[str, str]]:
    refiner, backends = build_refiner(config)
    weights = find("segmenter", config.segmentation.segmenter)
    session = session_for(weights, config.runtime)
    segmenter = LetterboxedSegmenter(session, config.segmentation, weights.size)
    return TwoStage(segmenter, config.trimap, refiner), {"segmenter": session.backend, **backends}


def _trimap_free(config: Config) -> tuple[Line, dict[str, str]]:
    protocol = _protocol("modnet", config.runtime)
    weights = find("modnet", config.modnet.modnet)
    session = session_for(weights, config.runtime)
    return TrimapFree(Modnet(session, protocol, weights.size)), {"modnet": session.backend}


def _protocol(kind: str, settings: RuntimeSettings) -> str:
    known = PROTOCOLS[kind]
    if settings.protocol == "auto":
        return known[0]
    if settings.protocol not in known:
        raise SettingError(
            f"protocol {settings.protocol!r} is not a {kind}'s", "give " + " or ".join(known)
        )
    return settings.protocol
