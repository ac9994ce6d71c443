from pathlib import Path

import pytest
import torch

from matte.errors import WeightsError
from matte.segmentation.network import CheckpointInfo, build_network, save_checkpoint
from matte.training.start import start_from


def test_a_checkpoint_is_a_start(tmp_path: Path) -> None:
    trained, network = build_network("unet"), build_network("unet")
    save_checkpoint(trained, CheckpointInfo("unet", 64), tmp_path / "best.safetensors")
    start_from(network, tmp_path / "best.safetensors")
    for a, b in zip(trained.parameters(), network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_torchvision_weights_start_the_encoder(tmp_path: Path) -> None:
    # torchvision's mobilenet_v2 and this encoder name their tensors alike.
    weights = {
        key: value.half() if value.is_floating_point() else value
        for key, value in build_network("deeplabv3plus").encoder.state_dict().items()
    }
    torch.save({**weights, "classifier.1.bias": torch.zeros(1000)}, tmp_path / "mobilenet.pth")
    network = build_network("unet")
    decoder = next(network.get_submodule("network.decoder").parameters()).clone()
    start_from(network, tmp_path / "mobilenet.pth")
    for key, value in network.encoder.state_dict().items():
        torch.testing.assert_close(value, weights[key].to(value.dtype))
    assert torch.equal(next(network.get_submodule("network.decoder").parameters()), decoder)


@pytest.mark.parametrize("content", [b"nonsense", b""])
@pytest.mark.parametrize("name", ["start.pth", "start.safetensors"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        start_from(build_network("unet"), tmp_path / name)


def test_other_weights_do_not_fit(tmp_path: Path) -> None:
    torch.save({"features.0.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        start_from(build_network("unet"), tmp_path / "other.pth")
    other = build_network("deeplabv3plus")
    save_checkpoint(other, CheckpointInfo("deeplabv3plus", 64), tmp_path / "net.safetensors")
    with pytest.raises(WeightsError, match="does not fit"):
        start_from(build_network("unet"), tmp_path / "net.safetensors")


def test_pickled_objects_are_not_run(tmp_path: Path) -> None:
    torch.save({"features.x": Path("/")}, tmp_path / "object.pth")
    with pytest.raises(WeightsError, match="can't read"):
        start_from(build_network("unet"), tmp_path / "object.pth")
