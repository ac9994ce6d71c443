"""MODNets as torch weights on disk."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from matte.configs.settings import RuntimeSettings
from matte.errors import WeightsError
from matte.modnet.network import KIND, ModnetInfo, ModnetNetwork, build_network
from matte.runtime.execution import Execution
from matte.runtime.tensors import load_tensors, save_tensors
from matte.runtime.torch import TorchSession


def save_network(
    network: ModnetNetwork, path: Path, step: int = 0, metrics: Mapping[str, float] | None = None
) -> None:
    """Writes the network's weights, what it is built of, and how far its training had come."""
    told = {**asdict(network.info), "step": step, "metrics": dict(metrics or {})}
    save_tensors(path, network.state_dict(), KIND, told)


def load_network(path: Path) -> ModnetNetwork:
    """The network of a file that `save_network` wrote, in evaluation mode."""
    tensors, told = load_tensors(path, KIND)
    for trained in ("step", "metrics"):  # not what it is built of
        told.pop(trained, None)
    try:
        network = build_network(ModnetInfo(**told))
        network.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit its own design", "import it again") from error
    return network.eval()


def metrics_of(path: Path) -> dict[str, float]:
    """What a training measured of the network of a file; nothing where it was not trained here."""
    metrics: dict[str, float] = load_tensors(path, KIND)[1].get("metrics", {})
    return metrics


def torch_session(path: Path, execution: Execution, settings: RuntimeSettings) -> TorchSession:
    """The network of a file, ready to run."""
    inputs: dict[str, tuple[int | None, ...]] = {"input": (None, 3, None, None)}
    return TorchSession(load_network(path), inputs, "output", execution, settings)
