"""Networks in int8: as a call, and through the command."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import matte.conversion.quantise
from matte.configs.settings import RuntimeSettings
from matte.conversion.int8_graphs import (
    FLOAT32_DEPTHWISE_COUNT,
    adapt_for_openvino,
    float32_convolutions,
    prepare_for_int8,
)
from matte.conversion.quantise import MAX_PICTURES, quantise_weights, read_calibration_pictures
from matte.errors import BackendError, PictureError, SettingError, WeightsError
from matte.media.pictures import read_image
from matte.runtime.example_inputs import PORTRAIT_FILE, portrait_inputs
from matte.runtime.execution import NetworkSource
from matte.runtime.opener import open_onnx_file, open_session
from matte.runtime.processor import ProcessorAbilities, processor_abilities
from matte.weights.store import weights_named
from tests.commands import run
from tests.conftest import SetAbilities, patch_abilities
from tests.tolerances import INT8_MEAN, INT8_MEAN_WITHOUT_VNNI

NAME = "person-light"
NEAR = INT8_MEAN if processor_abilities().vnni else INT8_MEAN_WITHOUT_VNNI
SIZES = ((320, 320), (224, 320), (320, 256))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with parts of the portrait, and another below it."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "more").mkdir()
    from matte.files import write_file
    from matte.media.encoding import encode

    portrait = read_image(PORTRAIT_FILE)[:, :512]
    for number, part in enumerate((portrait, portrait[::-1], portrait[:, ::-1], portrait[60:400])):
        place = folder / "more" if number == 3 else folder
        write_file(place / f"{number}.png", encode(np.ascontiguousarray(part), ".png"))
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def quantised(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("int8") / "light.onnx"
    asked = ("--precision", "int8", "--calibrate", str(pictures))
    with pytest.MonkeyPatch.context() as patch:
        patch_abilities(patch, ProcessorAbilities(vnni=True))
        result = run("export", NAME, "-o", str(file), *asked)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{file}\n"
    assert result.stderr.count("from fp32") == 2 * 4
    return file


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_both_runtimes_come_close_to_fp32_at_any_size(
    quantised: Path, backend: str, set_abilities: SetAbilities
) -> None:
    set_abilities(ProcessorAbilities(vnni=True))
    settings = RuntimeSettings(backend=backend, device="cpu", precision="int8", threads=1)  # type: ignore[arg-type]  # parametrised
    int8 = open_session(NetworkSource(quantised, int8=quantised), settings)
    exact = open_onnx_file(weights_named(NAME).path, threads=1)
    for height, width in SIZES:
        given = portrait_inputs(exact.inputs, 2, height, width)
        found, expected = int8.run(given)["mask"], exact.run(given)["mask"]
        assert np.abs(found - expected).mean() < NEAR
        alike = np.corrcoef(found.ravel(), expected.ravel())[0, 1]
        assert alike > 0.99 or not processor_abilities().vnni


def float32_weights(model: onnx.ModelProto) -> set[str]:
    """Return the names of the weights of convolutions that stay in float32."""
    names = float32_convolutions(model)
    return {node.input[1] for node in model.graph.node if node.name in names}


def test_weights_lie_in_the_file_as_int8(quantised: Path) -> None:
    model = prepare_for_int8(onnx.load(quantised))
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert (told["matte.precision"], told["matte.size"]) == ("int8", "320")
    large = [t for t in model.graph.initializer if numpy_helper.to_array(t).size > 2000]
    kept = float32_weights(model)
    assert {t.data_type for t in large if t.name not in kept} == {TensorProto.INT8}
    assert quantised.stat().st_size < weights_named(NAME).path.stat().st_size


def test_early_depthwise_convolutions_and_what_is_expanded_stay() -> None:
    names = float32_weights(prepare_for_int8(onnx.load(weights_named(NAME).path)))
    assert sum("conv_dw" in name for name in names) == FLOAT32_DEPTHWISE_COUNT
    assert [name for name in names if "project" in name]


def test_halves_that_several_casts_share_become_float32() -> None:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["half"], ["a"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["half"], ["b"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["x", "a"], ["less"]),
            helper.make_node("Add", ["less", "b"], ["y"]),
        ],
        "g",
        [value("x", TensorProto.FLOAT, [2])],
        [value("y", TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(np.array([1, 2], np.float16), "half")],
    )
    found = prepare_for_int8(helper.make_model(graph)).graph
    assert [node.op_type for node in found.node] == ["Sub", "Add"]
    assert all(node.name for node in found.node)
    kinds = {tensor.name: tensor.data_type for tensor in found.initializer}
    assert kinds == dict.fromkeys("ab", TensorProto.FLOAT)


def test_the_graph_for_openvino_gives_the_same_numbers() -> None:
    def model() -> onnx.ModelProto:
        constants = {"s": np.float32(0.1), "z": np.int8(-3), "axes": np.array([0], np.int64)}
        nodes = [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
            helper.make_node("Shape", ["y"], ["shape"]),
        ]
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "g",
            [value("x", TensorProto.FLOAT, ["n", 4])],
            [value("y", TensorProto.FLOAT, ["n", 4]), value("shape", TensorProto.INT64, [2])],
            [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)

    given = {"x": np.linspace(-20, 20, 80, dtype=np.float32).reshape(20, 4)}
    before, after = model(), adapt_for_openvino(model())
    zero = next(t for t in after.graph.initializer if t.name == "z")
    assert (zero.data_type, int(numpy_helper.to_array(zero))) == (TensorProto.UINT8, 125)
    assert after.graph.node[2].input[0] == "x"
    results = [
        onnxruntime.InferenceSession(m.SerializeToString()).run(None, given)
        for m in (before, after)
    ]
    for expected, found in zip(*results, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_pictures_are_found_below_too_and_spread(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(read_calibration_pictures(pictures)) == 4 <= MAX_PICTURES
    monkeypatch.setattr(matte.conversion.quantise, "MAX_PICTURES", 2)
    assert [p.shape for p in read_calibration_pictures(pictures)] == [(512, 512, 3)] * 2


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=f"no picture in {tmp_path}"):
        read_calibration_pictures(tmp_path)


def test_nothing_to_calibrate_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no picture to calibrate on"):
        quantise_weights(weights_named(NAME), [], tmp_path / "x.onnx")


def test_what_is_far_from_fp32_is_not_written(
    quantised: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    set_abilities: SetAbilities,
) -> None:
    set_abilities(ProcessorAbilities(vnni=True))
    monkeypatch.setattr(matte.conversion.quantise, "MAX_MEAN_DIFFERENCE", 1e-6)
    model = onnx.load(quantised)
    monkeypatch.setattr(matte.conversion.quantise, "_quantise_by_nncf", lambda *_: model)
    with pytest.raises(WeightsError, match="in int8 on onnx the network differs by"):
        quantise_weights(
            weights_named(NAME), read_calibration_pictures(pictures)[:1], tmp_path / "x.onnx"
        )
    assert list(tmp_path.iterdir()) == []


def test_what_this_processor_can_not_check_is_not_written(
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    set_abilities: SetAbilities,
) -> None:
    set_abilities(ProcessorAbilities(vnni=False))
    monkeypatch.setattr(matte.conversion.quantise, "_quantise_by_nncf", lambda model, feeds: model)
    with pytest.raises(BackendError, match="backend 'onnx' has no int8 here"):
        quantise_weights(
            weights_named(NAME), read_calibration_pictures(pictures)[:1], tmp_path / "x.onnx"
        )
    assert list(tmp_path.iterdir()) == []


def test_without_nncf_its_extra_is_named(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(
        BackendError, match=r"needs nncf: run pip install '\.\[quantise\]' in matte's checkout"
    ):
        quantise_weights(
            weights_named(NAME), read_calibration_pictures(pictures)[:1], tmp_path / "x.onnx"
        )


@pytest.mark.parametrize(
    "asked",
    [
        ("--precision", "int8"),
        ("--calibrate", "."),
        ("--precision", "int8", "--calibrate", ".", "--dynamic"),
    ],
)
def test_what_does_not_go_together_is_refused(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("export", NAME, *asked)
    assert result.exit_code == 2
    assert "Error: int8 is " in result.stderr
    assert list(tmp_path.iterdir()) == []
