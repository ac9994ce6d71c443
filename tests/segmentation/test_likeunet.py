import torch

from matte.segmentation.likeunet import ParallelConvolution, fuse_branches
from matte.segmentation.network import build_network


def test_it_has_the_originals_parameters() -> None:
    """As Keras counts them, the norms' statistics included."""
    for name, count in (
        ("likeunet-night", 1_769_314),
        ("likeunet-dark", 1_769_026),
        ("likeunet-dark-light", 221_626),
        ("likeunet-dark-light-branches", 322_938),
    ):
        state = build_network(name).state_dict()
        sizes = [t.numel() for key, t in state.items() if not key.endswith("num_batches_tracked")]
        assert sum(sizes) == count, name


def test_fused_kernels_compute_the_same() -> None:
    torch.manual_seed(3)
    network = build_network("likeunet-dark-light-branches").eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    image = torch.rand(2, 3, 64, 32)
    with torch.inference_mode():
        before = network(image)
        fuse_branches(network)
        torch.testing.assert_close(network(image), before)
    assert not any(isinstance(m, ParallelConvolution) for m in network.modules())
    assert network.state_dict().keys() == build_network("likeunet-dark-light").state_dict().keys()


def test_colours_are_those_that_it_was_trained_with() -> None:
    """Blue is the first of night's channels; dark's grey is mostly green."""
    red, green = torch.zeros(2, 1, 3, 1, 1)
    red[:, 0] = green[:, 1] = 1
    night = build_network("likeunet-night")
    night.network = torch.nn.Identity()
    assert night(red).flatten().tolist() == [0, 0, 255]
    dark = build_network("likeunet-dark")
    dark.network = torch.nn.Identity()
    torch.testing.assert_close(dark(green).flatten(), torch.tensor([255 * 0.587]))
