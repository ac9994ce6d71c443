import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from matte.errors import WeightsError
from matte.onnx_files import count_parameters, network_digest, read_onnx_file
from matte.weights.store import all_weights
from tests.evaluation.conftest import Write, linear_network

__all__ = ["linear_network"]


def with_external_data(path: Path) -> Path:
    """Writes the file again, with its tensors in another file."""
    onnx.save(
        onnx.load(path),
        path,
        save_as_external_data=True,
        location=f"{path.stem}.data",
        size_threshold=0,
    )
    return path


def nested(depth: int) -> bytes:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([], "g", [], [value], [numpy_helper.from_array(np.ones(1), "x")])
    for _ in range(depth):
        node = helper.make_node(
            "If", ["c"], ["x"], then_branch=graph, else_branch=graph.__class__()
        )
        graph = helper.make_graph([node], "g", [], [value])
    data: bytes = helper.make_model(graph).SerializeToString()
    return data


def test_a_file_without_external_data_has_its_own_hash() -> None:
    path = all_weights()["person-light"].path
    assert network_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digest_follows_the_external_data(tmp_path: Path, linear_network: Write) -> None:
    path = with_external_data(linear_network("own", [[1.0, 0, 0]], [0.0]))
    data = tmp_path / "own.data"
    found = read_onnx_file(path)
    assert found.external == (data,)
    data.write_bytes(bytes(data.stat().st_size))
    assert read_onnx_file(path).digest != found.digest
    data.unlink()
    with pytest.raises(WeightsError, match=r"can't read .*own\.data .*: put it beside its \.onnx"):
        read_onnx_file(path)


@pytest.mark.parametrize("location", ["../x", "/etc/passwd", "a/../../x", "..\\x", "C:\\x", "a\0b"])
def test_no_file_outside_the_folder_is_read(
    linear_network: Write, location: str, tmp_path: Path
) -> None:
    path = linear_network("own", [[1.0, 0, 0]], [0.0])
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="names a file outside its folder"):
        read_onnx_file(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless file")
def test_endless_files_are_not_read(tmp_path: Path, linear_network: Write) -> None:
    link = tmp_path / "net.onnx"
    link.symlink_to("/dev/zero")
    with pytest.raises(WeightsError, match="is no file but a device or a pipe: give an ONNX"):
        read_onnx_file(link)
    path = with_external_data(linear_network("own", [[1.0, 0, 0]], [0.0]))
    data = tmp_path / "own.data"
    data.unlink()
    data.symlink_to("/dev/zero")
    with pytest.raises(WeightsError, match=r"own\.data is no file but a device"):
        network_digest(path)


def test_graphs_in_graphs_have_an_end(tmp_path: Path) -> None:
    path = tmp_path / "nested.onnx"
    path.write_bytes(nested(10))
    assert not read_onnx_file(path).external
    path.write_bytes(nested(30))
    with pytest.raises(WeightsError, match="is not a whole ONNX file"):
        read_onnx_file(path)


def test_parameters_are_counted_in_whatever_form_they_are_stored(tmp_path: Path) -> None:
    """Unpacked and packed lengths, halves, a constant's tensor; not lengths, not training's."""
    weights = numpy_helper.from_array(np.ones((4, 3, 2, 2), np.float16), "weights")
    value = numpy_helper.from_array(np.ones((5, 7), np.float32), "value")
    constant = helper.make_node("Constant", [], ["constant"], value=value)
    lengths = numpy_helper.from_array(np.array([1, 2, 3]), "lengths")
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])]
    graph = helper.make_graph([constant], "g", inputs, inputs, [weights, lengths])
    model = helper.make_model(graph)
    training = helper.make_graph([], "training", [], [], [value])
    model.training_info.add().algorithm.CopyFrom(training)
    path = tmp_path / "counted.onnx"
    path.write_bytes(model.SerializeToString())
    assert count_parameters(path) == 4 * 3 * 2 * 2 + 5 * 7
    # A graph (7) with one tensor (5) of float32 (2: 1), its lengths 300 and 2 in one field (1).
    tensor = bytes([10, 3, 0xAC, 2, 2, 16, 1])
    path.write_bytes(bytes([58, 9, 42, 7]) + tensor)
    assert count_parameters(path) == 600
    path.write_bytes(bytes([58, 9, 42, 7]) + bytes([10, 3, 0xAC, 0xAC, 0xAC, 16, 1]))
    with pytest.raises(WeightsError, match="is not a whole ONNX file"):
        count_parameters(path)
