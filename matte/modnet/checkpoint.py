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
    """Write the network's weights, its design, and how far its training had come."""
    info = {**asdict(network.info), "step": step, "metrics": dict(metrics or {})}
    save_tensors(path, network.state_dict(), KIND, info)


def load_network(path: Path) -> ModnetNetwork:
    """Load a network that `save_network` wrote, in evaluation mode."""
    tensors, info = load_tensors(path, KIND)
    for trained in ("step", "metrics"):  # not what it is built of
        info.pop(trained, None)
    try:
        network = build_network(ModnetInfo(**info))
        network.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit its own design", "import it again") from error
    return network.eval()


def metrics_of(path: Path) -> dict[str, float]:
    """Return the validation metrics of a file's network; empty where it was not trained here."""
    metrics: dict[str, float] = load_tensors(path, KIND)[1].get("metrics", {})
    return metrics


def torch_session(path: Path, execution: Execution, settings: RuntimeSettings) -> TorchSession:
    """Open a file's network in torch, ready to run."""
    inputs: dict[str, tuple[int | None, ...]] = {"input": (None, 3, None, None)}
    return TorchSession(load_network(path), inputs, "output", execution, settings)
