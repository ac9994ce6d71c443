"""From settings to a pipeline that is ready to run."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from importlib.util import find_spec
from typing import Any

import matte
from matte.configs.loader import DEFAULT_PRESET, TRIMAP_FREE, Settled, settle, values
from matte.configs.settings import Config, ModnetSettings, RuntimeSettings
from matte.errors import (
    MatteError,
    MissingWeightsError,
    SettingError,
    WeightsError,
)
from matte.modnet.adapter import Modnet
from matte.pipeline.costs import Budget
from matte.pipeline.fallback import Fallback
from matte.pipeline.lines import Absent, Line, TrimapFree, TwoStage
from matte.pipeline.run import Pipeline
from matte.refiner import REFINERS
from matte.refiner.gca import Gca
from matte.registry import resolve
from matte.runtime.opening import open_session
from matte.runtime.session import Session
from matte.runtime.ways import Network, Way
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.stages import Refiner, Segmenter
from matte.weights.store import Weights, find

# What makes a torch session of a stored network, by its kind.
TORCH = {
    "modnet": "matte.modnet.checkpoint:torch_session",
    "refiner": "matte.refiner.checkpoint:torch_session",
    "segmenter": "matte.segmentation.network:torch_session",
}
Networks = dict[str, dict[str, str]]  # by kind: name, sha256, and the way they run
PROTOCOLS = {"modnet": ("official", "native"), "refiner": ("demo", "tester")}


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
    networks: Networks = {}
    facts = {
        "matte": matte.__version__,
        "preset": settled.preset,
        "settings": values(config),
        "networks": networks,
    }
    return Pipeline(_line(config, networks), facts, config.media.max_pixels)


def build_two_stage(config: Config, networks: Networks | None = None) -> TwoStage:
    """Mask, trimap, refiner; `networks` is told what was opened."""
    segmenter: Segmenter
    opened: Networks = {}
    # Both are opened at once: most of it happens outside of Python.
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(build_segmenter, config, opened)
        refiner = build_refiner(config, opened)
        try:
            segmenter = first.result()
        except MissingWeightsError as error:
            segmenter = Absent(error)  # a mask or a trimap may be given
    if networks is not None:
        networks.update(opened)
    budget = Budget(
        config.pipeline.budget_ms, config.segmentation.segmenter, config.refiner.refiner
    )
    return TwoStage(segmenter, config.segmentation, config.trimap, refiner, budget)


def build_segmenter(config: Config, networks: Networks | None = None) -> LetterboxedSegmenter:
    """The segmenter that the settings name."""
    name = config.segmentation.segmenter
    weights = find("segmenter", name)
    session = session_for(weights, config.runtime)
    _tell(networks, name, weights, session)
    return LetterboxedSegmenter(session, config.segmentation, weights.size)


def build_refiner(config: Config, networks: Networks | None = None) -> Refiner:
    """The refiner that the settings name."""
    name = config.refiner.refiner
    if name in REFINERS:
        refiner: Refiner = resolve("refiner", REFINERS, name)()
        return refiner
    protocol = _protocol("refiner", config.runtime)
    weights = find("refiner", name, REFINERS)
    session = session_for(weights, config.runtime)
    _tell(networks, name, weights, session)
    # Who names a protocol wants the very result, whatever it takes.
    return Gca(session, protocol, exact=config.runtime.protocol != "auto")


def session_for(weights: Weights, settings: RuntimeSettings) -> Session:
    """The network ready to run, in the way that the settings ask for."""
    # Who names a protocol wants the very result: torch's, where it and torch weights are there.
    if settings.protocol != "auto":
        settings = _exact(settings, weights.torch_path is not None)
    if settings.backend == "torch" and weights.torch_path is None:
        raise WeightsError(
            f"{weights.path.name} has no torch weights", "use --backend onnx or openvino"
        )
    return open_session(network_of(weights), settings)


def network_of(weights: Weights) -> Network:
    """The network as runtimes know it."""
    torch_path = weights.torch_path

    def open_torch(way: Way, settings: RuntimeSettings) -> Session:
        session: Session = resolve("kind", TORCH, weights.kind)(torch_path, way, settings)
        return session

    return Network(
        weights.path,
        weights.sha256,
        weights.as_good_in,
        weights.int8_path,
        open_torch if torch_path else None,
    )


def _exact(settings: RuntimeSettings, has_torch_weights: bool) -> RuntimeSettings:
    if settings.precision == "auto":
        settings = replace(settings, precision="fp32")
    if settings.backend == "auto" and has_torch_weights and find_spec("torch"):
        return replace(settings, backend="torch")
    return settings


def _line(config: Config, networks: Networks) -> Line:
    if config.modnet.modnet:
        return _trimap_free(config, networks)
    first: Line | MatteError
    try:
        first = build_two_stage(config, networks)
    except MissingWeightsError as error:
        first = error
    if config.pipeline.fallback == "none":
        return Fallback(first, None)
    runtime = replace(config.runtime, protocol="auto")
    other = replace(config, modnet=ModnetSettings(TRIMAP_FREE), runtime=runtime)
    return Fallback(first, lambda: _trimap_free(other, networks))


def _trimap_free(config: Config, networks: Networks) -> TrimapFree:
    name = config.modnet.modnet
    protocol = _protocol("modnet", config.runtime)
    weights = find("modnet", name)
    session = session_for(weights, config.runtime)
    _tell(networks, name, weights, session)
    return TrimapFree(Modnet(session, protocol, weights.size))


def _tell(networks: Networks | None, name: str, weights: Weights, session: Session) -> None:
    if networks is not None:
        networks[weights.kind] = {
            "name": name,
            "sha256": weights.sha256,
            **asdict(session.way),
        }


def _protocol(kind: str, settings: RuntimeSettings) -> str:
    known = PROTOCOLS[kind]
    if settings.protocol == "auto":
        return known[0]
    if settings.protocol not in known:
        raise SettingError(
            f"protocol {settings.protocol!r} is not a {kind}'s", "give " + " or ".join(known)
        )
    return settings.protocol
