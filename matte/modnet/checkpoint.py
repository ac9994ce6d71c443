"""MODNets as torch weights on disk."""

from dataclasses import asdict
from pathlib import Path

from matte.errors import WeightsError
from matte.modnet.network import KIND, ModnetInfo, ModnetNetwork, build_network
from matte.runtime.tensors import load_tensors, save_tensors
from matte.runtime.torch import TorchSession


def save_network(network: ModnetNetwork, path: Path) -> None:
    """Writes the network's weights and what it is built of."""
    save_tensors(path, network.state_dict(), KIND, asdict(network.info))


def load_network(path: Path) -> ModnetNetwork:
    """The network of a file that `save_network` wrote, in evaluation mode."""
    tensors, told = load_tensors(path, KIND)
    try:
        network = build_network(ModnetInfo(**told))
        network.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit its own design", "import it again") from error
    return network.eval()


def torch_session(path: Path, threads: int) -> TorchSession:
    """The network of a file, ready to run."""
    return TorchSession(load_network(path), {"input": (None, 3, None, None)}, "output", threads)
