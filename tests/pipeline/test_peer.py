from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.arrays import Image, Trimap
from matte.configs.settings import RuntimeSettings
from matte.errors import SettingError, WeightsError
from matte.evaluation.peer_networks import open_peer_networks
from matte.pipeline.networks import open_network
from matte.pipeline.peer import PeerNetwork
from matte.runtime.memory import MemoryLimit
from tests.evaluation.conftest import Write
from tests.tiny_networks import patches, pointwise, random_weights

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


PICTURE = Image(np.random.default_rng(0).integers(0, 200, (60, 90, 3), np.uint8))


def by_rule(path: Path, rule: str, tile: int | str = "auto") -> PeerNetwork:
    """A network's file as its rule of matte's feeds it."""
    toml = path.with_suffix(".toml")
    toml.write_text(f'file = "{path.name}"\nrule = "{rule}"\n')
    return PeerNetwork(open_network("peer", str(toml), RUNTIME), tile=tile)


def published_map(rule: str, size: int, by_max: bool) -> np.ndarray:
    """What the pointwise network gives for the picture, by the numbers that are published."""
    small = np.asarray(Pillow.fromarray(PICTURE).resize((size, size), Pillow.Resampling.LANCZOS))
    values = small / (small.max() if by_max else 255)
    means = {"isnet": (0.5, 0.5, 0.5)}.get(rule, (0.485, 0.456, 0.406))
    deviations = {"isnet": (1, 1, 1)}.get(rule, (0.229, 0.224, 0.225))
    weights, bias = random_weights(3)
    logits = ((values - means) / deviations) @ weights + bias
    if rule == "birefnet":
        return np.asarray(1 / (1 + np.exp(-logits)))
    return np.asarray((logits - logits.min()) / (logits.max() - logits.min()))


@pytest.mark.parametrize(
    ("rule", "size", "by_max"),
    [("u2net", 320, True), ("isnet", 1024, False), ("birefnet", 1024, False)],
)
def test_the_published_rules_are_gone_by(
    tmp_path: Path, rule: str, size: int, by_max: bool
) -> None:
    network = pointwise(tmp_path / "net.onnx", (1, 3, size, size), maps=7)
    found = by_rule(network, rule).matte(PICTURE)
    back = Pillow.fromarray(published_map(rule, size, by_max).astype(np.float32))
    expected = np.asarray(back.resize((90, 60), Pillow.Resampling.LANCZOS))
    assert np.abs(found - np.clip(expected, 0, 1)).max() < 1e-4
    free = pointwise(tmp_path / "free.onnx", maps=7)
    assert np.abs(by_rule(free, rule).matte(PICTURE) - found).max() < 1e-4, "the rule has the size"


def test_a_black_picture_is_not_divided_by_its_maximum(tmp_path: Path) -> None:
    network = by_rule(pointwise(tmp_path / "net.onnx"), "u2net")
    black = network.matte(Image(np.zeros((20, 30, 3), np.uint8)))
    assert not black.any()


def test_a_map_is_made_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    network = by_rule(pointwise(tmp_path / "net.onnx"), "birefnet")
    assert network.segment(PICTURE, (15, 22)).confidence.shape == (15, 22)


def drawn_trimap(height: int, width: int) -> Trimap:
    """An unknown band between background at the left and a subject at the right."""
    trimap = np.zeros((height, width), np.uint8)
    trimap[:, width // 3 :], trimap[:, width // 2 :] = 128, 255
    return Trimap(trimap)


@pytest.mark.parametrize("size", [(60, 90), (64, 96), (1, 1), (33, 200)])
def test_vitmattes_sides_are_padded(tmp_path: Path, size: tuple[int, int]) -> None:
    """Its patches take multiples of 32 only."""
    refiner = by_rule(patches(tmp_path / "net.onnx"), "vitmatte")
    trimap = drawn_trimap(*size)
    refined = refiner.refine(Image(np.resize(PICTURE, (*size, 3))), trimap)
    assert refined.alpha.shape == size
    assert refined.report == {}
    unknown = trimap == 128
    assert ((refined.alpha[unknown] > 0) & (refined.alpha[unknown] < 1)).all()
    assert np.array_equal(refined.alpha[~unknown], trimap[~unknown] / 255)


def test_large_pictures_are_refined_in_tiles(tmp_path: Path) -> None:
    """A network that looks at each pixel by itself gives the same in tiles as whole."""
    network = pointwise(tmp_path / "net.onnx", ("b", 4, "h", "w"), probability=True)
    large = Image(np.resize(PICTURE, (700, 1600, 3)))
    trimap = drawn_trimap(700, 1600)
    whole = by_rule(network, "vitmatte", "off").refine(large, trimap)
    tiled = by_rule(network, "vitmatte").refine(large, trimap)
    named = by_rule(network, "vitmatte", 128).refine(large, trimap)
    assert whole.report == {}
    assert (tiled.report["way"], tiled.report["side"]) == ("tiles", 512)
    assert tiled.report["tiles"] < 8, "only the unknown band is covered"
    assert (named.report["side"], named.report["why"]) == (128, "as asked")
    for refined in (tiled, named):
        assert np.abs(refined.alpha - whole.alpha).max() < 1e-5
    assert by_rule(network, "vitmatte").refine(PICTURE, drawn_trimap(60, 90)).report == {}


def test_a_long_and_low_picture_is_refined_in_tiles(tmp_path: Path) -> None:
    refiner = by_rule(patches(tmp_path / "net.onnx"), "vitmatte")
    low = Image(np.resize(PICTURE, (300, 4000, 3)))
    refined = refiner.refine(low, drawn_trimap(300, 4000))
    assert refined.report["tiles"] >= 2
    assert refined.alpha.shape == (300, 4000)


def test_tiles_where_memory_is_not_enough_for_the_whole(tmp_path: Path) -> None:
    toml = tmp_path / "peer.toml"
    pointwise(tmp_path / "net.onnx", ("b", 4, "h", "w"), probability=True)
    toml.write_text('file = "net.onnx"\nrule = "vitmatte"\n')
    found = open_network("peer", str(toml), RUNTIME)
    image, trimap = Image(np.resize(PICTURE, (700, 700, 3))), drawn_trimap(700, 700)
    assert PeerNetwork(found).refine(image, trimap).report == {}
    assert PeerNetwork(found, MemoryLimit(600 << 20)).refine(image, trimap).report["side"] == 512


def test_a_network_of_one_size_takes_no_tiles(tmp_path: Path) -> None:
    network = pointwise(tmp_path / "net.onnx", (1, 4, 256, 256), probability=True)
    with pytest.raises(SettingError, match="a network of one size takes no tiles"):
        by_rule(network, "vitmatte", 512)
    large = Image(np.resize(PICTURE, (1500, 1500, 3)))
    assert by_rule(network, "vitmatte").refine(large, drawn_trimap(1500, 1500)).report == {}


def test_only_the_ending_of_a_file_is_left_out_of_its_name(tmp_path: Path) -> None:
    network = open_network("peer", str(by_toml(tmp_path)), RUNTIME)
    assert PeerNetwork(network).name == "net.v2"
    assert PeerNetwork(replace(network, name="rmbg-1.4")).name == "rmbg-1.4"


def by_toml(folder: Path) -> Path:
    pointwise(folder / "net.v2.onnx")
    toml = folder / "net.v2.toml"
    toml.write_text('file = "net.v2.onnx"\n')
    return toml
