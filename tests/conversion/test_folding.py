import pytest
import torch
from torch import Tensor, nn

from matte.conversion.folding import fold_batch_norms, norm_pairs, round_weights_to_half
from matte.conversion.modnet_export import modnet_examples
from matte.conversion.parity import Example
from matte.conversion.refiner_export import refiner_examples
from matte.conversion.segmenter_export import segmenter_examples
from matte.modnet.network import ModnetInfo
from matte.modnet.network import build_network as build_modnet
from matte.refiner.network import GcaDesign, GcaNetwork
from matte.segmentation.network import ARCHITECTURES, Probability, build_network
from tests.trained_networks import lived_in


class Crossed(nn.Module):
    """Norms in another order than they run, one behind a ReLU, one of half of the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.c, self.b, self.a = (nn.BatchNorm2d(n) for n in (2, 4, 4))
        self.first = nn.Conv2d(3, 4, 1)
        self.second = nn.ConvTranspose2d(4, 4, 2, 2, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        x = self.second(self.a(self.first(image)))
        half: Tensor = self.c(x[:, :2])
        rest: Tensor = self.b(x.relu())[:, 2:]
        return half + rest


def test_pairs_are_found_by_what_flows() -> None:
    network = Crossed().eval()
    assert norm_pairs(network, {"image": torch.rand(1, 3, 4, 4)}) == {"first": "a"}
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def same(network: nn.Module, case: Example) -> nn.Module:
    folded = fold_batch_norms(network, case)
    with torch.inference_mode():
        torch.testing.assert_close(folded(**case), network(**case), atol=1e-4, rtol=1e-4)
    return folded


def norms(network: nn.Module) -> int:
    return sum(isinstance(m, nn.BatchNorm2d) for m in network.modules())


# Norms behind a pooling, and behind a sum of parallel kernels, which the export fuses before.
UNFOLDED = {"likeunet-dark": 1, "likeunet-night": 1, "likeunet-dark-light-branches": 10}


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_segmenters_have_no_norms_left(architecture: str) -> None:
    network = lived_in(Probability(build_network(architecture)))
    before = norms(network)
    assert before > 0
    assert norms(same(network, segmenter_examples()[0])) == UNFOLDED.get(architecture, 0)
    assert norms(network) == before


def test_norms_behind_something_else_stay() -> None:
    case = {"image": torch.rand(2, 3, 8, 8)}
    assert norms(same(lived_in(Crossed()), case)) == 2
    gca = lived_in(GcaNetwork(GcaDesign(width=0.125)))
    assert norms(same(gca, refiner_examples(gca)[0])) == 13  # behind ReLUs
    modnet = lived_in(build_modnet(ModnetInfo(context="e_aspp", width=0.25)))
    left = {
        n for n, m in same(modnet, modnet_examples()[0]).named_modules() if "Batch" in str(type(m))
    }
    assert "lr_branch.e_aspp.norm.0" in left  # behind a sum
    assert all("bnorm" in name or "e_aspp" in name for name in left)


def test_rounded_weights_fit_into_half() -> None:
    network = lived_in(Crossed())
    rounded = round_weights_to_half(network)
    for before, after in zip(network.parameters(), rounded.parameters(), strict=True):
        expected = before.half().float() if before.ndim > 1 else before
        assert torch.equal(after, expected)
    assert not torch.equal(network.first.weight, network.first.weight.half().float())


def test_weights_beyond_half_stay() -> None:
    network = Crossed()
    with torch.no_grad():
        network.first.weight[0] = 1e6 / 3
    rounded = round_weights_to_half(network).state_dict()
    assert torch.equal(rounded["first.weight"], network.first.weight)
