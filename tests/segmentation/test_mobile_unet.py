import pytest
import torch

from matte.segmentation.network import build_network


@pytest.mark.parametrize("name", ["mobile-unet", "mobile-unet-bilinear"])
def test_it_has_the_originals_parameters(name: str) -> None:
    """As Keras counts them, the norms' statistics included."""
    state = build_network(name).state_dict()
    sizes = [t.numel() for key, t in state.items() if not key.endswith("num_batches_tracked")]
    assert sum(sizes) == 3_648_561


def test_dropout_is_for_training_only() -> None:
    torch.manual_seed(1)
    network = build_network("mobile-unet")
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert (network(image) != network(image)).any()
        network.eval()
        assert (network(image) == network(image)).all()
