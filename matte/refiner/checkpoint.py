"""Refiner networks as torch weights on disk."""

from dataclasses import asdict
from pathlib import Path

from matte.configs.settings import RuntimeSettings
from matte.errors import WeightsError
from matte.refiner.gca import RATIO_INPUT
from matte.refiner.network import GcaDesign, GcaNetwork
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.runtime.execution import Execution
from matte.runtime.tensors import load_tensors, save_tensors
from matte.runtime.torch import TorchSession

KIND = "refiner"
RefinerNetwork = GcaNetwork | SlimNetwork


def architecture_of(network: RefinerNetwork) -> str:
    """Return the name of a refiner network's architecture."""
    return "gca-slim" if isinstance(network, SlimNetwork) else "gca"


def save_network(network: RefinerNetwork, path: Path) -> None:
    """Write the network's weights and its design."""
    info = {"architecture": architecture_of(network), **asdict(network.design)}
    save_tensors(path, network.state_dict(), KIND, info)


def load_network(path: Path) -> RefinerNetwork:
    """Load a network that `save_network` wrote, in evaluation mode."""
    tensors, info = load_tensors(path, KIND)
    slim = info.pop("architecture", "gca") == "gca-slim"
    try:
        network = SlimNetwork(SlimDesign(**info)) if slim else GcaNetwork(GcaDesign(**info))
        network.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit its own design", "import it again") from error
    return network.eval()


def torch_session(path: Path, execution: Execution, settings: RuntimeSettings) -> TorchSession:
    """Open a file's network in torch, ready to run."""
    network = load_network(path)
    inputs: dict[str, tuple[int | None, ...]] = {
        "image": (None, 3, None, None),
        "trimap": (None, 1, None, None),
    }
    if network.design.attention:
        inputs[RATIO_INPUT] = (None,)
    return TorchSession(network, inputs, "alpha", execution, settings)
