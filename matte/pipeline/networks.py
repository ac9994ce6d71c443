"""The networks that settings name, found and opened.

Little is imported here, so that opening can begin before the rest of the program is loaded.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from importlib.util import find_spec

from matte.configs.settings import Config, RuntimeSettings
from matte.errors import WeightsError
from matte.refiner import REFINERS
from matte.registry import resolve
from matte.runtime.opening import open_remembered, open_session
from matte.runtime.session import Session
from matte.runtime.ways import Network, Way
from matte.weights.store import Weights, find

# What makes a torch session of a stored network, by its kind.
TORCH = {
    "modnet": "matte.modnet.checkpoint:torch_session",
    "refiner": "matte.refiner.checkpoint:torch_session",
    "segmenter": "matte.segmentation.network:torch_session",
}
Networks = dict[str, dict[str, str]]  # by kind: name, sha256, and the way they run
Opened = tuple[Weights, Session]


class Opening:
    """The networks that a run needs, opened while something else is done: most of it happens
    outside of Python. What has to be tried or compiled first waits until it is asked for.
    """

    def __init__(self, config: Config) -> None:
        names = {
            "segmenter": config.segmentation.segmenter,
            "refiner": config.refiner.refiner,
        }
        if config.modnet.modnet:
            names = {"modnet": config.modnet.modnet}
        self._names, self._settings = names, config.runtime
        pool = ThreadPoolExecutor(len(names))
        self._remembered = {
            kind: pool.submit(_remembered, kind, name, config.runtime)
            for kind, name in names.items()
            if not (kind == "refiner" and name in REFINERS)
        }
        pool.shutdown(wait=False)

    def of(self, kind: str) -> Opened:
        """The network of that kind; raises what opening it raised."""
        found = self._remembered[kind].result()
        return found or opened(kind, self._names[kind], self._settings)


def _remembered(kind: str, name: str, settings: RuntimeSettings) -> Opened | None:
    weights = _found(kind, name)
    session = open_remembered(network_of(weights), _asked(weights, settings))
    return None if session is None else (weights, session)


def opened(kind: str, name: str, settings: RuntimeSettings) -> Opened:
    """The network of that kind and name, or in that ONNX file, ready to run."""
    weights = _found(kind, name)
    return weights, session_for(weights, settings)


def _found(kind: str, name: str) -> Weights:
    return find(kind, name, REFINERS if kind == "refiner" else ())


def tell(networks: Networks | None, name: str, found: Opened) -> None:
    """Writes down which network was opened, and how it runs."""
    weights, session = found
    if networks is not None:
        told = {"name": name, "sha256": weights.sha256}
        networks[weights.kind] = told | asdict(session.way)


def session_for(weights: Weights, settings: RuntimeSettings) -> Session:
    """The network ready to run, in the way that the settings ask for."""
    settings = _asked(weights, settings)
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
        weights.int8_sha256,
        open_torch if torch_path else None,
    )


def _asked(weights: Weights, settings: RuntimeSettings) -> RuntimeSettings:
    """Who names a protocol wants the very result: torch's, where it and torch weights are there."""
    if not settings.exact(weights.kind):
        return settings
    if settings.precision == "auto":
        settings = replace(settings, precision="fp32")
    if settings.backend == "auto" and weights.torch_path is not None and find_spec("torch"):
        return replace(settings, backend="torch")
    return settings
