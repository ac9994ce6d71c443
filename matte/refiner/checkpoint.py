"""GCA networks as torch weights on disk."""

from dataclasses import asdict
from pathlib import Path

from matte.errors import WeightsError
from matte.refiner.gca import RATIO
from matte.refiner.network import Design, GcaNetwork
from matte.runtime.tensors import load_tensors, save_tensors
from matte.runtime.torch import TorchSession

KIND = "refiner"


def save_network(network: GcaNetwork, path: Path) -> None:
    """Writes the network's weights and its design."""
    save_tensors(path, network.state_dict(), KIND, asdict(network.design))


def load_network(path: Path) -> GcaNetwork:
    """The network of a file that `save_network` wrote, in evaluation mode."""
    tensors, told = load_tensors(path, KIND)
    try:
        network = GcaNetwork(Design(**told))
        network.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit its own design", "import it again") from error
    return network.eval()


def torch_session(path: Path, threads: int) -> TorchSession:
    """The network of a file, ready to run."""
    network = load_network(path)
    inputs: dict[str, tuple[int | None, ...]] = {
        "image": (None, 3, None, None),
        "trimap": (None, 1, None, None),
    }
    if network.design.attention:
        inputs[RATIO] = (None,)
    return TorchSession(network, inputs, "alpha", threads)
