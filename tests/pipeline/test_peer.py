from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Image, Trimap
from matte.configs.settings import RuntimeSettings
from matte.errors import SettingError, WeightsError
from matte.evaluation.peer_networks import open_peer_networks
from matte.pipeline.networks import open_network
from matte.pipeline.peer import PeerNetwork
from matte.runtime.memory import MemoryLimit
from tests.evaluation.conftest import Write

RUNTIME = RuntimeSettings(backend="onnx", threads=1)
RED = Image(np.tile(np.array([255, 51, 0], np.uint8), (40, 60, 1)))


def peer(tmp_path: Path, text: str) -> PeerNetwork:
    toml = tmp_path / "peer.toml"
    toml.write_text(text)
    return PeerNetwork(open_network("peer", str(toml), RUNTIME))


def test_colours_mean_and_scale(tmp_path: Path, linear_network: Write) -> None:
    linear_network("first", [[1, 0, 0]], [0])
    plain = peer(tmp_path, 'file = "first.onnx"')
    assert plain.name == "peer"
    assert plain.matte(RED) == pytest.approx(1)
    assert plain.matte(RED).shape == (40, 60)
    swapped = peer(tmp_path, 'file = "first.onnx"\ncolours = "bgr"')
    assert swapped.matte(RED) == pytest.approx(0)
    shifted = 'file = "first.onnx"\nname = "x"\nmean = [155, 0, 0]\nscale = [0.005]'
    assert peer(tmp_path, shifted).matte(RED) == pytest.approx(0.5)
    deep = Image(RED.astype(np.uint16) * 257)
    assert peer(tmp_path, shifted).matte(deep) == pytest.approx(0.5)


def test_output_channel_and_activation(tmp_path: Path, linear_network: Write) -> None:
    linear_network("two", [[1, 0, 0], [0, 1, 0]], [0, 0])
    told = 'file = "two.onnx"\nchannel = 1\n'
    assert peer(tmp_path, told).matte(RED) == pytest.approx(0.2)
    sigmoid = peer(tmp_path, told + 'activation = "sigmoid"').matte(RED)
    assert sigmoid == pytest.approx(1 / (1 + np.exp(-0.2)))
    softmax = peer(tmp_path, told + 'activation = "softmax"')
    assert softmax.matte(RED) == pytest.approx(np.exp(0.2) / (np.exp(1) + np.exp(0.2)))
    assert (softmax.segment(RED).confidence < 0.5).all()
    for extra, remedy in (("channel = 2", "count 'channel'"), ("output = 1", "count 'output'")):
        with pytest.raises(WeightsError, match=remedy):
            peer(tmp_path, f'file = "two.onnx"\n{extra}').matte(RED)


def test_values_out_of_range_are_refused(tmp_path: Path, linear_network: Write) -> None:
    linear_network("big", [[9, 0, 0]], [0])
    with pytest.raises(WeightsError, match="gives 9 … 9: set its 'activation'"):
        peer(tmp_path, 'file = "big.onnx"').matte(RED)


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
@pytest.mark.parametrize("size", ["size = 32", "size = 64\nmultiple = 32", "multiple = 16", ""])
def test_maps_come_back_to_their_place(
    tmp_path: Path, linear_network: Write, resize: str, size: str
) -> None:
    linear_network("first", [[1, 0, 0]], [0])
    image = np.zeros((48, 90, 3), np.uint8)
    image[:, 45:] = 255
    found = peer(tmp_path, f'file = "first.onnx"\nresize = "{resize}"\n{size}').matte(Image(image))
    assert found.shape == (48, 90)
    assert np.abs(found - image[:, :, 0] / 255)[:, np.r_[:40, 50:90]].max() < 0.02


def test_a_fixed_size_is_kept_to(tmp_path: Path, linear_network: Write) -> None:
    linear_network("fixed", [[1, 0, 0]], [0], shape=(1, 3, 24, 16))
    for resize in ("stretch", "letterbox"):
        found = peer(tmp_path, f'file = "fixed.onnx"\nresize = "{resize}"').matte(RED)
        assert found == pytest.approx(1)


def test_a_peer_that_refines(tmp_path: Path, linear_network: Write) -> None:
    """The network gives back a half of the trimap's level, or a share of its unknown channel."""
    trimap = np.zeros((40, 60), np.uint8)
    trimap[:, 20:40], trimap[:, 40:] = 128, 255
    linear_network("levels", [[0, 0, 0, 0.5]], [0], shape=(1, 4, "h", "w"))
    linear_network("onehot", [[0, 0, 0, 0, 0.75, 0]], [0], shape=(1, 6, "h", "w"))
    for kind, expected in (("levels", 0.25), ("onehot", 0.75)):
        refiner = peer(tmp_path, f'file = "{kind}.onnx"\ntrimap = "{kind}"')
        alpha = refiner.refine(RED, Trimap(trimap)).alpha
        assert np.unique(alpha).tolist() == [0, expected, 1]
        with pytest.raises(SettingError, match="peer needs a trimap"):
            open_peer_networks([tmp_path / "peer.toml"], RUNTIME, with_trimap=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not complete"),
        ('file = "none.onnx"', "can't read"),
        ('file = "first.onnx"\nmean = [1, 2]', "mean has 2 numbers"),
        ('file = "first.onnx"\ncolors = "rgb"', "did you mean 'colours'"),
        ('file = "first.onnx"\nresize = "crop"', "resize = 'crop'"),
        ('file = "first.onnx"\nmultiple = 0', "multiple = 0"),
        ('file = "first.onnx"\nsize = -1', "size = -1"),
        ('file = "first.onnx"\noutput = -1', "output = -1"),
        ('file = "first.onnx"\nchannel = -1', "channel = -1"),
    ],
)
def test_mistakes_are_said(tmp_path: Path, linear_network: Write, text: str, message: str) -> None:
    linear_network("first", [[1, 0, 0]], [0])
    with pytest.raises((SettingError, WeightsError), match=message):
        peer(tmp_path, text)


@pytest.mark.parametrize("extra", ["", 'resize = "letterbox"'])
def test_an_input_that_memory_does_not_allow_is_refused(
    tmp_path: Path, linear_network: Write, extra: str
) -> None:
    linear_network("first", [[1, 0, 0]], [0])
    toml = tmp_path / "peer.toml"
    toml.write_text(f'file = "first.onnx"\n{extra}')
    found = open_network("peer", str(toml), RUNTIME)
    strip = Image(np.zeros((20, 60_000, 3), np.uint8))
    with pytest.raises(SettingError, match="raise --max-memory, or leave size = 0 in its TOML out"):
        PeerNetwork(found, MemoryLimit(600 << 20)).matte(strip)
