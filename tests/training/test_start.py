from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from matte.conversion.keras_weights import read_keras_weights
from matte.conversion.likeunet import likeunet_from_keras
from matte.errors import WeightsError
from matte.refiner.checkpoint import save_network
from matte.refiner.network import GcaDesign, GcaNetwork
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.segmentation.network import CheckpointInfo, build_network, save_checkpoint
from matte.training.start import find_start_file, refit_norms, start_refiner, start_segmenter
from tests.conversion.tflite_file import Layer, write_tflite
from tests.trained_networks import randomise_norms

LIKEUNET = Path(__file__).parents[1] / "golden/likeunet_dark_light_pre.h5"


def test_a_checkpoint_is_a_start(tmp_path: Path) -> None:
    trained, network = build_network("unet"), build_network("unet")
    save_checkpoint(trained, CheckpointInfo("unet", 64), tmp_path / "best.safetensors")
    start_segmenter(network, tmp_path / "best.safetensors")
    for a, b in zip(trained.parameters(), network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_keras_weights_start_a_likeunet_with_its_parallel_kernels() -> None:
    network = build_network("likeunet-dark-light-branches")
    start_segmenter(network, LIKEUNET)
    grey = torch.rand(1, 1, 64, 64).expand(-1, 3, -1, -1)
    _, published = likeunet_from_keras(read_keras_weights(LIKEUNET))
    with torch.inference_mode():
        torch.testing.assert_close(network.eval()(grey), published.eval()(grey))
    with pytest.raises(WeightsError, match="nothing of"):
        start_segmenter(build_network("deeplabv3plus"), LIKEUNET)


def test_torchvision_weights_start_the_encoder(tmp_path: Path) -> None:
    # torchvision's mobilenet_v2 and this encoder name their tensors alike.
    source = build_network("deeplabv3plus").encoder
    randomise_norms(source)
    weights = {
        key: value.half() if value.is_floating_point() else value
        for key, value in source.state_dict().items()
    }
    torch.save({**weights, "classifier.1.bias": torch.zeros(1000)}, tmp_path / "mobilenet.pth")
    network = build_network("unet")
    decoder = next(network.get_submodule("network.decoder").parameters()).clone()
    start_segmenter(network, tmp_path / "mobilenet.pth")
    for key, value in network.encoder.state_dict().items():
        if "num_batches" not in key:
            torch.testing.assert_close(value, weights[key].float())
    assert torch.equal(next(network.get_submodule("network.decoder").parameters()), decoder)


def test_released_efficientnet_lite_starts_the_encoder(tmp_path: Path) -> None:
    source = build_network("deeplab-unet-lite0").encoder
    randomise_norms(source)
    # The released files have names of their own in the same order, and a classifier.
    weights = {f"_blocks.{key}": value for key, value in source.state_dict().items()}
    released = {"_conv_stem.weight": weights.pop("_blocks.model.conv_stem.weight")}
    torch.save({**released, **weights, "_fc.bias": torch.zeros(1000)}, tmp_path / "lite0.pth")
    network = build_network("deeplab-unet-lite0")
    start_segmenter(network, tmp_path / "lite0.pth")
    for module in source.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3  # as in their training
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        ours, theirs = network.encoder.eval()(picture), source.eval()(picture)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_the_slim_refiner_sees_what_the_encoder_saw(tmp_path: Path) -> None:
    source = build_network("unet").encoder
    randomise_norms(source)
    torch.save(source.state_dict(), tmp_path / "mobilenet.pth")
    network = SlimNetwork(SlimDesign(attention=False)).eval()
    start_refiner(network, tmp_path / "mobilenet.pth")
    picture = torch.rand(1, 3, 64, 64)
    planes = torch.cat([picture, torch.rand(1, 10, 64, 64)], dim=1)
    with torch.inference_mode():
        ours = network.encoder.stages[0](network.encoder.stem(planes))
        theirs = source.eval()(picture)[1]
    torch.testing.assert_close(ours, theirs)


def test_a_released_deeplab_starts_encoder_and_context(tmp_path: Path) -> None:
    source = build_network("deeplab-unet-light").network
    convolutions = [
        m
        for part in (source.get_submodule("encoder"), source.get_submodule("context"))
        for m in part.modules()
        if isinstance(m, nn.Conv2d)
    ]
    random = np.random.default_rng(0)
    layers = [
        Layer(
            random.integers(0, 255, tuple(c.weight.shape)).astype(np.uint8),
            random.integers(-90, 90, c.out_channels).astype(np.int32),
            c.groups > 1,
        )
        for c in convolutions
    ]
    write_tflite(tmp_path / "deeplab.tflite", layers)
    network = build_network("deeplab-unet-light")
    start_segmenter(network, tmp_path / "deeplab.tflite")
    stem = network.get_submodule("network.encoder.model.conv_stem")
    assert isinstance(stem, nn.Conv2d)
    expected = (layers[0].weight.astype(np.float32) - 128) * np.float32(0.5)
    np.testing.assert_array_equal(stem.weight.detach().numpy(), expected)
    norm = network.get_submodule("network.encoder.model.bn1")
    values = torch.rand(1, stem.out_channels, 4, 4)
    shift = torch.from_numpy(layers[0].bias.astype(np.float32) * np.float32(0.25))
    found = norm.eval()(values)
    clipped = (values + shift[:, None, None]).clamp(0, 6)
    torch.testing.assert_close(found, clipped)


def test_norms_get_statistics_and_the_function_stays() -> None:
    network = build_network("unet")
    randomise_norms(network)
    for module in network.encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_var is not None
            module.reset_running_stats()
            module.running_var.fill_(1 - module.eps)  # as if folded
    before_decoder = network.get_submodule("network.decoder").state_dict()
    kept = {name: value.clone() for name, value in before_decoder.items()}
    pictures = torch.rand(4, 3, 64, 64)
    with torch.inference_mode():
        before = network.eval()(pictures)
    refit_norms(network, pictures)
    with torch.inference_mode():
        after = network.eval()(pictures)
    torch.testing.assert_close(before, after, atol=1e-3, rtol=1e-3)
    norm = network.get_submodule("network.encoder.features.0.1")
    assert isinstance(norm, nn.BatchNorm2d)
    convolution = network.get_submodule("network.encoder.features.0.0")
    assert norm.running_mean is not None
    seen = convolution(pictures * 2 - 1).mean(dim=(0, 2, 3))
    torch.testing.assert_close(norm.running_mean, seen.detach(), atol=1e-4, rtol=1e-4)
    decoder = network.get_submodule("network.decoder").state_dict()
    assert all(torch.equal(decoder[name], value) for name, value in kept.items())


@pytest.mark.parametrize("content", [b"nonsense", b""])
@pytest.mark.parametrize("name", ["start.pth", "start.safetensors", "start.tflite"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        start_segmenter(build_network("unet"), tmp_path / name)


def test_other_weights_do_not_fit(tmp_path: Path) -> None:
    save_network(GcaNetwork(GcaDesign(width=0.1)), tmp_path / "net.safetensors")
    with pytest.raises(WeightsError, match="holds a refiner"):
        start_segmenter(build_network("unet"), tmp_path / "net.safetensors")
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        start_segmenter(build_network("unet"), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="for another network"):
        start_refiner(GcaNetwork(GcaDesign(width=0.1)), tmp_path / "other.pth")


def with_more(weights: dict[str, torch.Tensor], *kernels: int) -> dict[str, torch.Tensor]:
    """An encoder's released weights and convolutions of these kernels behind them."""
    more = dict(weights)
    for at, kernel in enumerate(kernels, 100):
        more[f"features.{at}.0.weight"] = torch.rand(8, 8, kernel, kernel)
        for name in ("weight", "bias", "running_mean", "running_var"):
            more[f"features.{at}.1.{name}"] = torch.rand(8)
    return more


def test_a_larger_encoder_is_refused_and_what_follows_an_encoder_is_not(tmp_path: Path) -> None:
    weights = build_network("unet").encoder.state_dict()
    path, network = tmp_path / "net.pth", build_network("unet")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    torch.save(with_more(weights, 1, 3, 1), path)
    with pytest.raises(WeightsError, match=r"of a larger encoder, 55 convolutions instead of 52"):
        start_segmenter(network, path)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    torch.save(with_more(weights, 1, 1), path)
    start_segmenter(network, path)
    first = network.get_submodule("network.encoder.features.0.0").state_dict()["weight"]
    assert torch.equal(first, weights["features.0.0.weight"])


def test_pickled_objects_are_not_run(tmp_path: Path) -> None:
    torch.save({"features.x": Path("/")}, tmp_path / "object.pth")
    with pytest.raises(WeightsError, match="can't read"):
        start_segmenter(build_network("unet"), tmp_path / "object.pth")


def test_a_start_is_a_file_or_a_network_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"x")
    assert find_start_file(str(tmp_path / "a.pth")) == tmp_path / "a.pth"
    with pytest.raises(WeightsError, match="no file and no network"):
        find_start_file("nothing")
