from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from matte.refiner.checkpoint import load_network, save_network
from matte.refiner.slim import SlimDesign, SlimNetwork, colour_hints, extend_colours


def trimap(height: int, width: int) -> Tensor:
    """Background above, a band of unknown in the middle, subject below."""
    found = torch.zeros(1, 1, height, width)
    found[:, :, height // 3 :] = 0.5
    found[:, :, 2 * height // 3 :] = 1
    return found


@pytest.mark.parametrize("attention", [True, False])
def test_what_the_trimap_knows_stays(attention: bool) -> None:
    network = SlimNetwork(SlimDesign(attention)).eval()
    known = trimap(64, 96)
    with torch.inference_mode():
        alpha = network(torch.rand(1, 3, 64, 96), known)
    assert alpha.shape == (1, 1, 64, 96)
    assert (alpha[known == 0] == 0).all()
    assert (alpha[known == 1] == 1).all()
    inside = alpha[known == 0.5]
    assert ((inside > 0) & (inside < 1)).all()


def test_items_of_a_batch_get_what_they_get_alone() -> None:
    network = SlimNetwork().eval()
    images = torch.rand(2, 3, 64, 64)
    trimaps = torch.cat([trimap(64, 64), trimap(64, 64).flip(2)])
    with torch.inference_mode():
        both = network(images, trimaps)
        alone = [network(images[i : i + 1], trimaps[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(both, torch.cat(alone), atol=1e-5, rtol=0)


def test_how_many_look_around_at_a_time_changes_nothing() -> None:
    network = SlimNetwork().eval()
    loud = network.attention
    assert loud is not None
    for module in loud.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    inputs = torch.rand(1, 3, 96, 64), trimap(96, 64)
    with torch.inference_mode():
        whole = network(*inputs)
        network.set_queries(5)
        torch.testing.assert_close(network(*inputs), whole, atol=1e-5, rtol=0)
        other = network(*inputs, torch.tensor([0.9]))
    assert (other - whole).abs().max() > 1e-5  # the ratio is heard


def test_known_colours_stay_and_spread_smoothly() -> None:
    image = torch.zeros(1, 3, 64, 64)
    image[:, 0] = 1  # red all over, but green in the right half
    image[:, :, :, 32:] = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    known = torch.zeros(1, 1, 64, 64)
    known[:, :, :, :8] = 1
    filled = extend_colours(image, known)
    torch.testing.assert_close(filled[:, :, :, :8], image[:, :, :, :8], atol=1e-4, rtol=0)
    # Only red is known, so everything becomes red.
    torch.testing.assert_close(filled[:, 0], torch.ones(1, 64, 64), atol=1e-3, rtol=0)
    assert filled[:, 1].abs().max() < 1e-3


def test_hints_of_a_picture_made_of_two_colours_are_its_alpha() -> None:
    alpha = torch.linspace(0, 1, 64).view(1, 1, 1, 64).expand(1, 1, 64, 64).clone()
    alpha[:, :, :, :16], alpha[:, :, :, 48:] = 0, 1
    fore, back = torch.tensor([0.9, 0.2, 0.1]), torch.tensor([0.1, 0.3, 0.8])
    image = alpha * fore.view(1, 3, 1, 1) + (1 - alpha) * back.view(1, 3, 1, 1)
    found = colour_hints(image, (alpha == 0).float(), (alpha == 1).float())
    assert found.shape == (1, 7, 64, 64)
    torch.testing.assert_close(found[:, 6:], alpha, atol=0.02, rtol=0)


def test_nothing_known_is_no_error() -> None:
    network = SlimNetwork().eval()
    with torch.inference_mode():
        alpha = network(torch.rand(1, 3, 32, 32), torch.full((1, 1, 32, 32), 0.5))
    assert torch.isfinite(alpha).all()


@pytest.mark.parametrize("attention", [True, False])
def test_it_can_be_kept(tmp_path: Path, attention: bool) -> None:
    network = SlimNetwork(SlimDesign(attention)).eval()
    save_network(network, tmp_path / "slim.safetensors")
    again = load_network(tmp_path / "slim.safetensors")
    assert isinstance(again, SlimNetwork)
    assert again.design == network.design
    inputs = torch.rand(1, 3, 32, 32), trimap(32, 32)
    with torch.inference_mode():
        assert torch.equal(network(*inputs), again(*inputs))
