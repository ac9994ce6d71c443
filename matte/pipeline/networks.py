"""The networks that settings name, found in the store and opened.

Little is imported here, so that opening can begin before the rest of the program is loaded.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Protocol

from matte.configs.settings import Config, RuntimeSettings
from matte.errors import BackendError, WeightsError, install_command
from matte.refiner import REFINERS
from matte.registry import resolve
from matte.runtime.backends import fits_memory
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import remembered_execution
from matte.runtime.opener import open_known_fastest, open_session
from matte.runtime.session import Session
from matte.stages import NetworkFacts
from matte.weights.store import SHIPPED_FOLDER, Weights, find_weights

# What makes a torch session of stored torch weights, by their kind; and of a shipped ONNX file.
TORCH_SESSIONS = {
    "modnet": "matte.modnet.checkpoint:torch_session",
    "refiner": "matte.refiner.checkpoint:torch_session",
    "segmenter": "matte.segmentation.network:torch_session",
    "shipped": "matte.conversion.onnx_to_torch:torch_session",
}


@dataclass(frozen=True, slots=True, eq=False)
class OpenNetwork:
    """A network that is ready to run, and the stored weights that it came from."""

    name: str
    weights: Weights
    session: Session

    @property
    def facts(self) -> NetworkFacts:
        """What a report says of it."""
        return NetworkFacts(self.name, self.weights.sha256, asdict(self.session.execution))


class NetworkSupply(Protocol):
    """Gives networks by their kind and name: opened for this run, or shared by many."""

    def network(self, kind: str, name: str) -> OpenNetwork:
        """Return the network, ready to run; raises whatever opening it raises."""
        ...


class NetworkOpener:
    """Opens the networks of a run in the background, while the rest of the program is loaded.

    What has to be compiled or compared first is opened only when network() is called for it.
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
        self._quick = {
            kind: pool.submit(_open_if_quick, kind, name, config.runtime)
            for kind, name in names.items()
            if not (kind == "refiner" and name in REFINERS)
        }
        pool.shutdown(wait=False)

    def network(self, kind: str, name: str) -> OpenNetwork:
        """Wait for the network, or open it now; raises whatever opening it raises."""
        begun = self._names.get(kind) == name and kind in self._quick
        opened = self._quick[kind].result() if begun else None
        return opened or open_network(kind, name, self._settings)


def _open_if_quick(kind: str, name: str, settings: RuntimeSettings) -> OpenNetwork | None:
    """Return the network if its execution is remembered from an earlier run, else None."""
    weights = _find_weights(kind, name)
    session = open_known_fastest(as_runtime_network(weights), _exact_settings(weights, settings))
    return None if session is None else OpenNetwork(name, weights, session)


def open_network(kind: str, name: str, settings: RuntimeSettings) -> OpenNetwork:
    """Open the network of that kind and stored name, or in that ONNX file."""
    weights = _find_weights(kind, name)
    return OpenNetwork(name, weights, open_weights(weights, settings))


def network_execution(kind: str, name: str, settings: RuntimeSettings) -> Execution:
    """Return how that network runs here; it is opened only if that was never measured."""
    weights = _find_weights(kind, name)
    exact = _exact_settings(weights, settings)
    known = remembered_execution(as_runtime_network(weights), exact)
    if known is not None and fits_memory(known.backend, exact):
        return known
    return open_weights(weights, settings).execution


def _find_weights(kind: str, name: str) -> Weights:
    """Return the stored weights of that name, or those of an ONNX file."""
    return find_weights(kind, name, REFINERS if kind == "refiner" else ())


def open_weights(weights: Weights, settings: RuntimeSettings) -> Session:
    """Return a session of stored weights, with the backend that the settings ask for."""
    settings = _exact_settings(weights, settings)
    network = as_runtime_network(weights)
    if settings.backend == "torch" and network.torch is None:
        raise WeightsError(
            f"{weights.path.name} has no torch weights", "use --backend onnx or openvino"
        )
    return open_session(network, settings)


def as_runtime_network(weights: Weights) -> NetworkSource:
    """Return stored weights as the runtimes know them: files, hashes, precisions."""
    torch_path, is_shipped = weights.torch_path, weights.folder == SHIPPED_FOLDER

    def open_torch(execution: Execution, settings: RuntimeSettings) -> Session:
        kind = weights.kind if torch_path else "shipped"
        path = torch_path or weights.path
        try:
            opener = resolve("kind", TORCH_SESSIONS, kind)
        except ImportError as error:  # torch alone is installed
            cause = f"{weights.path.name} can't run by torch ({error})"
            raise BackendError(cause, install_command("torch")) from error
        session: Session = opener(path, execution, settings)
        return session

    return NetworkSource(
        weights.path,
        weights.sha256,
        weights.accurate_precisions,
        weights.int8_path,
        weights.int8_sha256,
        weights.is_stranger,
        open_torch if torch_path or is_shipped else None,
    )


def _exact_settings(weights: Weights, settings: RuntimeSettings) -> RuntimeSettings:
    """Return settings that reproduce the authors' results where a protocol is named.

    That takes fp32, and torch where it is installed and there are torch weights.
    """
    if not settings.needs_exact(weights.kind):
        return settings
    if settings.precision == "auto":
        settings = replace(settings, precision="fp32")
    if settings.backend == "auto" and weights.torch_path is not None and find_spec("torch"):
        return replace(settings, backend="torch")
    return settings
