import torch

from matte.segmentation.network import build_network


def test_it_has_the_originals_parameters() -> None:
    for name, count in (("u2net", 44_009_869), ("u2netp", 1_131_181)):
        with torch.device("meta"):
            network = build_network(name)
        assert sum(p.numel() for p in network.parameters()) == count


def test_in_training_it_gives_its_sides_too() -> None:
    torch.manual_seed(1)
    network = build_network("u2netp").eval()
    image = torch.rand(1, 3, 64, 32)
    with torch.no_grad():
        fused = network(image)
        for module in network.modules():
            module.training = not isinstance(module, torch.nn.BatchNorm2d)
        maps = network(image)
    assert fused.shape == (1, 1, 64, 32)
    assert maps.shape == (1, 7, 64, 32)
    torch.testing.assert_close(maps[:, :1], fused)
    mixed = network.get_submodule("network.outconv")(maps[:, 1:])
    torch.testing.assert_close(mixed, fused)


def test_brightness_does_not_matter() -> None:
    torch.manual_seed(1)
    network = build_network("u2netp").eval()
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(0.5 * image), network(image))
        assert network(0 * image).isfinite().all()
