"""From torch to ONNX and back."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from matte.conversion.onnx_graphs import stored_tensors
from matte.conversion.onnx_to_torch import is_own_file, torch_from_onnx
from matte.errors import WeightsError
from matte.modnet.network import build_network as build_modnet
from matte.refiner.slim import SlimNetwork
from matte.segmentation.network import (
    ARCHITECTURES,
    BRANCHES_SUFFIX,
    build_network,
)
from matte.training.start import refit_norms, start_modnet, start_refiner, start_segmenter
from matte.weights.store import weights_named
from tests.conversion.exports import REFINERS, SMALL_MODNETS, NetworkExports

ROUNDING = 0.02  # what float16 weights may change, as far as the output's scale goes


def first_of(names: Iterable[str], *quick: str) -> list[Any]:
    """Names as parameters; all but the quick ones are left to `make test-conversion`."""
    return [
        pytest.param(name, marks=() if name in quick else pytest.mark.conversion) for name in names
    ]


def apart(first: nn.Module, second: nn.Module, *inputs: torch.Tensor) -> float:
    with torch.inference_mode():
        return float((first.eval()(*inputs) - second.eval()(*inputs)).abs().max())


# What is trained with branches comes back without (test_segmenter_export.py), and the full U²-Net
# is the small one with more channels.
RESTORED = sorted(n for n in ARCHITECTURES if not n.endswith(BRANCHES_SUFFIX) and n != "u2net")


@pytest.mark.parametrize("architecture", first_of(RESTORED, "deeplab-unet-light"))
def test_segmenters_come_back(architecture: str, exports: NetworkExports) -> None:
    exported = exports.segmenter(architecture)
    network, path = exported.network, exported.path
    back = torch_from_onnx(path)
    assert (back.kind, back.notes["size"]) == ("segmenter", "96")
    image = torch.rand(1, 3, 96, 64)
    with torch.inference_mode():
        logits = float(network(image).abs().max())
    assert apart(network, back.network, image) < ROUNDING * max(1, logits)
    started = build_network(architecture)
    start_segmenter(started, path)
    assert apart(started, back.network, image) == 0
    # Training begins with norms that have seen pictures, and with the same function.
    refit_norms(started, torch.rand(4, 3, 64, 64))
    assert apart(started, back.network, image) < 1e-3 * max(1, logits)


@pytest.mark.parametrize("kind", first_of(REFINERS, "slim", "gca"))
def test_refiners_come_back(kind: str, exports: NetworkExports) -> None:
    make, half = REFINERS[kind]
    exported = exports.refiner(kind)
    network, path = exported.network, exported.path
    back = torch_from_onnx(path)
    assert back.kind == "refiner"
    assert isinstance(back.network, type(network))
    assert back.network.design == network.design
    inputs = torch.rand(1, 3, 64, 96), torch.rand(1, 1, 64, 96)
    assert apart(network, back.network, *inputs) < (ROUNDING if half else 1e-5)
    started = make()
    start_refiner(started, path)
    assert apart(started, back.network, *inputs) == 0


@pytest.mark.parametrize("context", first_of(SMALL_MODNETS, "se_block"))
def test_modnets_come_back_with_the_heads_that_only_training_needs(
    context: str, exports: NetworkExports
) -> None:
    info = SMALL_MODNETS[context]
    exported = exports.modnet(context)
    network, path = exported.network, exported.path
    back = torch_from_onnx(path)
    assert back.network.info == info
    image = torch.rand(1, 3, 64, 96) * 2 - 1
    assert isinstance(back.network, type(network))
    with torch.inference_mode():
        for expected, found in zip(
            network.branches(image), back.network.branches(image), strict=True
        ):
            assert float((expected - found).abs().max()) < ROUNDING
    started = build_modnet(info)
    start_modnet(started, path)
    assert apart(started, back.network, image) == 0


def test_equal_tensors_come_back_too(exports: NetworkExports) -> None:
    """All ones and all zeros, which exporters like to store once."""
    exported = exports.modnet("se_block")
    state = torch_from_onnx(exported.path).network.state_dict()
    norms = {k: t for k, t in exported.network.state_dict().items() if "bnorm" in k}
    weights = [tensor for key, tensor in norms.items() if key.endswith("weight")]
    assert sum(bool((tensor == 1).all()) for tensor in weights) > 2
    assert all(torch.equal(state[key], tensor) for key, tensor in norms.items())


def test_a_shipped_segmenter_starts_a_modnet() -> None:
    file = weights_named("person").path
    network = build_modnet()
    start_modnet(network, file)
    name = "network.network.encoder.model.conv_stem.weight"
    first = torch.from_numpy(stored_tensors(onnx.load(file))[name])
    assert torch.equal(next(network.backbone.parameters()), first)


def test_a_segmenter_starts_no_refiner(exports: NetworkExports) -> None:
    file = exports.segmenter("deeplab-unet-light").path
    with pytest.raises(WeightsError, match=r"net\.onnx holds a segmenter: give a refiner"):
        start_refiner(SlimNetwork(), file)


@pytest.fixture(scope="module")
def light(exports: NetworkExports) -> onnx.ModelProto:
    return onnx.load(exports.segmenter("deeplab-unet-light").path)


def test_what_is_missing_is_named(light: onnx.ModelProto, tmp_path: Path) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(light)
    name = "network.network.head.0.weight.float16"
    (tensor,) = (t for t in model.graph.initializer if t.name == name)
    tensor.name = "other"
    for node in model.graph.node:
        node.input[:] = ["other" if i == name else i for i in node.input]
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(WeightsError, match=r"does not hold network\.network\.head\.0\.weight: "):
        torch_from_onnx(tmp_path / "net.onnx")


def test_tensors_that_do_something_else_are_refused(light: onnx.ModelProto, tmp_path: Path) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(light)
    (first,) = (n for n in model.graph.node if n.op_type == "Mul")  # 2 in image · 2 − 1
    (scale,) = (t for t in model.graph.initializer if t.name in first.input)
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) / 2, scale.name))
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(WeightsError, match=r"came back from .* differs from it by .* at 96×64"):
        torch_from_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ({}, "does not say which network it is"),
        ({"matte.kind": "poem"}, "describes a network that matte can't build"),
        ({"matte.kind": "segmenter"}, "describes a network that matte can't build"),
        ({"matte.kind": "segmenter", "matte.architecture": "x"}, "that matte can't build"),
        ({"matte.kind": "refiner", "matte.design": "{"}, "that matte can't build"),
        ({"matte.kind": "refiner", "matte.design": '{"colour": 1}'}, "that matte can't build"),
    ],
)
def test_other_files_are_refused(
    notes: dict[str, str], message: str, light: onnx.ModelProto, tmp_path: Path
) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(light)
    onnx.helper.set_model_props(model, notes)
    onnx.save(model, tmp_path / "net.onnx")
    assert is_own_file(tmp_path / "net.onnx") == bool(notes)
    with pytest.raises(WeightsError, match=message):
        torch_from_onnx(tmp_path / "net.onnx")


def test_what_is_no_network_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"nonsense")
    for path in (tmp_path / "net.onnx", tmp_path / "none.onnx"):
        with pytest.raises(WeightsError, match=r"can't read .*\.onnx"):
            torch_from_onnx(path)
