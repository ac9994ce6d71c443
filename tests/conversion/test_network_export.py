"""Networks as files for use elsewhere, through the command."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from matte.conversion.network_import import import_weights
from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.modnet.checkpoint import save_network as save_modnet
from matte.modnet.network import ModnetNetwork
from matte.refiner.checkpoint import save_network as save_gca
from matte.refiner.network import GcaDesign, GcaNetwork
from matte.runtime.opener import open_onnx_file
from matte.weights.store import all_weights, find_weights, weights_named
from tests.commands import run
from tests.conftest import SharedFolder


def shipped_modnet() -> ModnetNetwork:
    """A trained one: what is drawn at random amplifies rounding beyond what an export may do."""
    network = torch_from_onnx(weights_named("modnet").path).network
    assert isinstance(network, ModnetNetwork)
    return network


@pytest.fixture(scope="module")
def home(shared_folder: SharedFolder) -> Path:
    """A store with a narrow GCA as "slim", from matte's own .safetensors."""
    return shared_folder("own-networks", import_slim)


def import_slim(home: Path) -> None:
    torch.manual_seed(1)
    save_gca(GcaNetwork(GcaDesign(width=0.125)), home / "slim.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATTE_HOME", str(home))
        assert import_weights(home / "slim.safetensors").weights.checkpoint


def import_mod() -> None:
    """Takes a MODNet into the store, too, as "mod"."""
    save_modnet(shipped_modnet(), Path("mod.safetensors"))
    assert import_weights(Path("mod.safetensors")).weights.checkpoint


@pytest.fixture(autouse=True)
def use_home(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATTE_HOME", str(home))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("precision", "name", "kind"),
    [
        ("fp32", "person-light", "segmenter"),
        ("fp16", "slim", "refiner"),
        pytest.param("fp16", "person-light", "segmenter", marks=pytest.mark.conversion),
        pytest.param("fp32", "slim", "refiner", marks=pytest.mark.conversion),
        pytest.param("fp32", "mod", "modnet", marks=pytest.mark.conversion),
        pytest.param("fp16", "mod", "modnet", marks=pytest.mark.conversion),
    ],
)
def test_files_agree_with_torch_at_any_size_and_are_networks_of_matte(
    name: str, kind: str, precision: str
) -> None:
    if name not in all_weights():
        import_mod()
    result = run("export", name, "-o", "out.onnx", "--dynamic", "--precision", precision)
    assert result.exit_code == 0, result.output
    assert result.stdout == "out.onnx\n"
    assert result.stderr.count("from torch") == 4
    model = onnx.load("out.onnx")
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert told["matte.precision"] == precision
    halves = [i for i in model.graph.initializer if i.data_type == onnx.TensorProto.FLOAT16]
    assert bool(halves) == (precision == "fp16")
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    kinds = {node.op_type for node in model.graph.node}
    assert not kinds & {"Loop", "Scan", "If"}
    # No convolution takes its weights from the picture.
    stored = {i.name for i in model.graph.initializer}
    constants = {n.output[0] for n in model.graph.node if n.op_type in ("Constant", "Cast")}
    for node in model.graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            assert node.input[1] in stored | constants
    assert find_weights(kind, "out.onnx").path == Path("out.onnx")
    session = open_onnx_file(Path("out.onnx"), threads=1)
    inputs = {
        name: np.zeros((1, shape[1] or 1, 32, 64), np.float32)
        if len(shape) == 4
        else np.zeros(1, np.float32)
        for name, shape in session.inputs.items()
    }
    (out,) = session.run(inputs).values()
    assert out.shape == (1, 1, 32, 64)


def test_one_size_is_in_the_file() -> None:
    result = run("export", "slim", "--height", "64", "--width", "96")
    assert result.exit_code == 0, result.output
    session = open_onnx_file(Path("slim.onnx"), threads=1)
    assert session.inputs["image"] == (1, 3, 64, 96)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "no network 'nothing'"),
        (["person-light", "--height", "64"], "a size is --height and --width"),
        (["person-light", "--height", "64", "--width", "64", "--dynamic"], "a size is --height"),
        (["person-light", "--height", "65", "--width", "64"], "64×65 pixels: give multiples of 32"),
        (["person-light", "-o", "net.pb"], "can't write net.pb: end it in .onnx"),
        (["person-light", "-o", "none/net.onnx"], "no folder none"),
    ],
)
def test_mistakes_get_one_line(words: list[str], message: str) -> None:
    result = run("export", *words)
    assert result.exit_code in (1, 2)
    assert result.stderr.startswith(f"Error: {message}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(Path().iterdir())
