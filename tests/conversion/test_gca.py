"""The released GCA code's own results, from weights that are filled by a rule."""

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino
import pytest
import torch
from torch import Tensor

import matte.conversion.onnx_writer
from matte.arrays import Image, Trimap
from matte.conversion.gca import from_official_gca, is_official_gca
from matte.conversion.refiner_export import export_refiner_network
from matte.errors import WeightsError
from matte.refiner.attention import GuidedAttention
from matte.refiner.network import GcaDesign, GcaNetwork, spectral_convolutions
from matte.refiner.protocols import network_inputs, pad_for_network
from matte.runtime.opener import open_onnx_file
from tests.conversion.exports import NetworkExports
from tests.official import official_gca
from tests.tolerances import RUNTIMES

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = ("203x311", "256x320")


@pytest.fixture(scope="module")
def official() -> dict[str, Tensor]:
    return official_gca()


@pytest.fixture(scope="module")
def network(official: dict[str, Tensor]) -> GcaNetwork:
    design, state = from_official_gca(
        {"state_dict": {f"module.{k}": v for k, v in official.items()}}
    )
    assert design == GcaDesign(attention=True, trimap_channels=3, width=1)
    network = GcaNetwork(design)
    network.load_state_dict(state)
    return network.eval()


@pytest.fixture(scope="module")
def imported(gca_home: Path) -> Path:
    """The ONNX file that `matte weights import` made of the released checkpoint."""
    return gca_home / "weights/my-gca.onnx"


def farthest(case: str, run: Any) -> float:
    """The largest difference between a runtime's alpha and the released code's."""
    with np.load(GOLDEN / f"gca_{case}.npz") as golden:
        prepared = pad_for_network(Image(golden["rgb"]), Trimap(golden["trimap"]), "demo")
        found = run(network_inputs(prepared.image, prepared.trimap))
        return float(np.abs(prepared.crop(found[0, 0]) - golden["alpha"]).max())


def test_weights_are_filled_as_for_the_released_code(official: dict[str, Tensor]) -> None:
    for key, expected in json.loads((GOLDEN / "gca_weight_sums.json").read_text()).items():
        assert float(official[key].double().abs().sum()) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("queries", [50, 1024])
def test_torch_gives_the_released_codes_alpha(network: GcaNetwork, case: str, queries: int) -> None:
    def run(inputs: Mapping[str, Any]) -> Any:
        with torch.inference_mode():
            return network(**{k: torch.from_numpy(v) for k, v in inputs.items()}).numpy()

    network.set_queries(queries)
    assert farthest(case, run) < RUNTIMES


@pytest.mark.conversion
@pytest.mark.parametrize("case", CASES)
def test_onnx_runtime_gives_the_released_codes_alpha(imported: Path, case: str) -> None:
    session = open_onnx_file(imported, threads=1)
    assert farthest(case, lambda inputs: session.run(inputs)["alpha"]) < RUNTIMES


@pytest.mark.conversion
def test_openvino_gives_the_released_codes_alpha(imported: Path) -> None:
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(imported, "CPU", precise)
    for case in CASES:
        assert farthest(case, lambda inputs: compiled(inputs)["alpha"]) < RUNTIMES


def test_the_report_is_of_every_size_and_runtime(exports: NetworkExports) -> None:
    report = exports.refiner("gca").report
    assert len(report.differences) == 8
    assert {d.runtime for d in report.differences} == {"onnx", "openvino"}
    assert all(0 <= d.mean <= d.largest < 1e-5 for d in report.differences)
    assert str(report).startswith("net.onnx (refiner, gca): at most ")
    assert "float32" not in str(report)


@pytest.mark.conversion
def test_the_imported_network_is_near_torch(gca_home: Path) -> None:
    said = (gca_home / "said.txt").read_text()
    (largest,) = re.findall(r"my-gca\.onnx \(refiner, gca\): at most (\S+) from torch", said)
    assert float(largest) < 1e-5
    assert "float32" not in said


@pytest.mark.conversion
def test_the_file_is_for_any_size_and_without_tricks(imported: Path) -> None:
    session = open_onnx_file(imported, threads=1)
    assert session.inputs == {
        "image": (None, 3, None, None),
        "trimap": (None, 1, None, None),
        "unknown_ratio": (None,),
    }
    assert session.metadata()["matte.kind"] == "refiner"
    assert json.loads(session.metadata()["matte.design"])["attention"] is True
    graph = onnx.load(imported).graph
    kinds = [node.op_type for node in graph.node]
    assert {"Loop", "Scan", "If", "SequenceAt"}.isdisjoint(kinds)
    # Two attentions, each in two parts of queries, each of two products.
    assert kinds.count("MatMul") == 8
    weights = {tensor.name for tensor in graph.initializer}
    assert all(n.input[1] in weights for n in graph.node if n.op_type.startswith("Conv"))
    stream = imported.read_bytes()
    for word in (str(Path.cwd()), "site-packages", "stack_trace", "forward("):
        assert word.encode() not in stream
    names = sorted(path.name for path in imported.parent.iterdir())
    assert names == ["manifest.toml", "my-gca.onnx", "my-gca.safetensors"]


def test_without_attention_there_is_no_ratio(exports: NetworkExports) -> None:
    report = exports.refiner("gca without attention").report
    inputs = open_onnx_file(report.path, threads=1).inputs
    assert inputs == {"image": (None, 3, None, None), "trimap": (None, 1, None, None)}
    assert "on average from float32 weights" in str(report)


@pytest.fixture
def faulty_tracer(exports: NetworkExports, monkeypatch: pytest.MonkeyPatch) -> GcaNetwork:
    """A tracer that gives the graph of this one network, whichever it is asked for."""
    exported = exports.refiner("gca")
    model = onnx.load(exported.path)
    monkeypatch.setattr(matte.conversion.onnx_writer, "trace_network", lambda *_: model)
    assert isinstance(exported.network, GcaNetwork)
    return exported.network


def test_exporting_leaves_the_network_as_it_is(faulty_tracer: GcaNetwork, tmp_path: Path) -> None:
    network = copy.deepcopy(faulty_tracer).train()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    queries = [m.queries for m in network.modules() if isinstance(m, GuidedAttention)]
    export_refiner_network(network, tmp_path / "gca.onnx", half=False)
    assert network.training
    assert queries == [m.queries for m in network.modules() if isinstance(m, GuidedAttention)]
    assert all(torch.equal(before[key], t) for key, t in network.state_dict().items())


def test_a_network_that_differs_is_refused(faulty_tracer: GcaNetwork, tmp_path: Path) -> None:
    other = GcaNetwork(faulty_tracer.design)
    with pytest.raises(WeightsError, match=r"on onnx differs from torch by .* at 96×64: "):
        export_refiner_network(other, tmp_path / "gca.onnx", half=False)
    assert list(tmp_path.iterdir()) == []


def test_every_way_it_was_saved_is_read(official: dict[str, Tensor], network: GcaNetwork) -> None:
    bare = dict(official)
    prefixed = {f"module.{key}": tensor.double() for key, tensor in official.items()}
    for checkpoint in (bare, prefixed, {"state_dict": bare, "optimizer": None}):
        assert is_official_gca(checkpoint)
        _, state = from_official_gca(checkpoint)
        for key, tensor in network.state_dict().items():
            assert state[key].dtype == tensor.dtype
            assert torch.equal(state[key], tensor)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_its_relatives_are_recognised(attention: bool, channels: int) -> None:
    given = GcaDesign(attention, channels)
    design, state = from_official_gca(wrapped(given))
    assert design == given
    GcaNetwork(design).load_state_dict(state)


def wrapped(design: GcaDesign) -> dict[str, Tensor]:
    """The released code's names for a network of that design."""
    network = GcaNetwork(design)
    state = network.state_dict()
    for name, _ in spectral_convolutions(network):
        weight = state.pop(f"{name}.weight")
        state[f"{name}.module.weight_bar"] = weight
        state[f"{name}.module.weight_u"] = torch.rand(weight.shape[0])
        state[f"{name}.module.weight_v"] = torch.rand(weight[0].numel())
    return state


def test_transposed_convolutions_are_divided_by_rows_of_inputs() -> None:
    state = wrapped(GcaDesign())
    key = "decoder.layer1.0.conv1"
    weight = state[f"{key}.module.weight_bar"]
    u, s, v = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    state |= {f"{key}.module.weight_u": u[:, 0], f"{key}.module.weight_v": v[0]}
    folded = from_official_gca(state)[1][f"{key}.weight"]
    torch.testing.assert_close(folded, weight / s[0], atol=1e-6, rtol=1e-5)


def test_other_networks_are_refused_by_name(official: dict[str, Tensor]) -> None:
    other: dict[str, Any] = dict(official)
    other["encoder.layer5.weight"] = other.pop("decoder.conv2.bias")
    other["encoder.bn1.bias"] = torch.zeros(7)
    other["encoder.bn1.weight"] = 3
    other["decoder.bn1.weight"] = torch.zeros(7)
    with pytest.raises(WeightsError) as caught:
        from_official_gca(other)
    assert str(caught.value) == (
        "weights of another network than GCA (decoder.bn1.weight is (7,), not (32,);"
        " decoder.conv2.bias is missing; encoder.bn1.bias is (7,), not (32,); 2 more):"
        " give a checkpoint of the released GCA code"
    )


@pytest.mark.parametrize("state", [{}, {"state_dict": 3}, {"conv.weight": torch.zeros(1)}])
def test_no_gca_at_all(state: dict[str, Any]) -> None:
    assert not is_official_gca(state)
    with pytest.raises(WeightsError, match=r"encoder\.conv1\.module\.weight_bar is missing"):
        from_official_gca(state)


def test_weights_that_are_no_numbers_are_refused(official: dict[str, Tensor]) -> None:
    key = "encoder.layer3.0.conv1.module.weight_u"
    with pytest.raises(WeightsError, match=r"encoder\.layer3\.0\.conv1.* are not finite"):
        from_official_gca(official | {key: torch.zeros_like(official[key])})
