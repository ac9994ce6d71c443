"""U²-Net's published names and files, with random weights."""

from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from matte.conversion.onnx_graphs import trace_network
from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.conversion.u2net import from_official_u2net, is_official_u2net, u2net_of_onnx
from matte.errors import WeightsError
from matte.segmentation.network import SegmentationNetwork, build_network


@pytest.fixture(scope="module")
def network() -> SegmentationNetwork:
    torch.manual_seed(4)
    network = build_network("u2netp").eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    return network


def official_state(network: SegmentationNetwork) -> dict[str, torch.Tensor]:
    return dict(network.network.state_dict())


class Official(nn.Module):
    """Several maps as probabilities, the fused one first, as the authors' export gives them."""

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        self.network = network.network

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, ...]:
        fused = self.network(picture).sigmoid()
        return fused, 1 - fused


@pytest.fixture(scope="module")
def official_file(network: SegmentationNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("u2net") / "u2netp.onnx"
    picture = {"input.1": torch.zeros(1, 3, 320, 320)}
    onnx.save(trace_network(Official(network).eval(), picture, ["d0", "d1"]), file)
    return file


def test_names_are_the_authors_own(network: SegmentationNetwork) -> None:
    state = {f"module.{key}": value for key, value in official_state(network).items()}
    assert is_official_u2net(state)
    architecture, ours = from_official_u2net(state)
    assert architecture == "u2netp"
    again = build_network(architecture).eval()
    again.load_state_dict(ours)
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(again(picture), network(picture))


def test_what_is_missing_is_named(network: SegmentationNetwork) -> None:
    state = official_state(network)
    del state["side3.weight"]
    with pytest.raises(WeightsError, match="side3"):
        from_official_u2net(state)
    assert not is_official_u2net({"outconv.weight": torch.zeros(1)})


@pytest.mark.conversion
def test_their_onnx_file_becomes_a_network_for_any_size(
    network: SegmentationNetwork, official_file: Path
) -> None:
    found = u2net_of_onnx(onnx.load(official_file))
    assert found is not None
    assert found[0] == "u2netp"
    restored = torch_from_onnx(official_file)
    assert restored.notes["architecture"] == "u2netp"
    picture = torch.rand(1, 3, 96, 64)
    with torch.inference_mode():
        torch.testing.assert_close(restored.network(picture), network(picture), atol=1e-4, rtol=0)


@pytest.mark.conversion
def test_other_files_are_none_of_theirs(official_file: Path, tmp_path: Path) -> None:
    model = onnx.load(official_file)
    model.graph.node.remove(next(n for n in model.graph.node if n.op_type == "Conv"))
    assert u2net_of_onnx(model) is None
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(WeightsError, match="does not say which"):
        torch_from_onnx(tmp_path / "other.onnx")
