from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from torch import Tensor, nn

from matte.conversion.onnx_graphs import (
    shorten_names,
    store_exact_halves,
    store_half_weights,
    stored_tensors,
    trace_network,
)
from matte.errors import WeightsError
from matte.runtime.opener import open_onnx_file


class Small(nn.Module):
    """A convolution, a linear layer, equal biases, and a head that the result has no use for."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.convolution = nn.Conv2d(3, 5, 3, padding=1)
        self.again = nn.Conv2d(5, 5, 1)
        self.linear = nn.Linear(5, 5, bias=False)
        self.head = nn.Conv2d(5, 2, 1)
        nn.init.zeros_(self.convolution.bias)  # type: ignore[arg-type]  # it has one
        nn.init.zeros_(self.again.bias)  # type: ignore[arg-type]  # as above

    def forward(self, image: Tensor, factor: Tensor) -> Tensor:
        values = self.again(self.convolution(image).relu())
        weights: Tensor = self.linear(values.mean((2, 3)))
        found: Tensor = nn.functional.avg_pool2d(values * weights[:, :, None, None], 2)
        return found * factor.view(-1, 1, 1, 1)


def case(height: int, width: int) -> dict[str, Tensor]:
    return {"image": torch.rand(2, 3, height, width), "factor": torch.rand(2)}


def shape(value: onnx.ValueInfoProto) -> list[str | int]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return trace_network(Small().eval(), case(64, 96), ["found"])


def test_free_sizes_have_names(model: onnx.ModelProto) -> None:
    shapes = {v.name: shape(v) for v in (*model.graph.input, *model.graph.output)}
    assert shapes["image"] == ["batch", 3, "height", "width"]
    assert shapes["factor"] == ["batch"]
    assert "found" in shapes


def test_every_tensor_is_in_the_file_once(model: onnx.ModelProto) -> None:
    stored = stored_tensors(model)
    for name, tensor in Small().state_dict().items():
        np.testing.assert_array_equal(stored[name], tensor.numpy())
    names = [t.name for t in model.graph.initializer]
    assert len(names) == len(set(names))
    assert "linear.weight.transposed" in names
    (training,) = model.training_info
    assert [t.name for t in training.algorithm.initializer] == [
        "again.bias",
        "head.weight",
        "head.bias",
    ]


def test_half_of_the_bytes_give_the_same(model: onnx.ModelProto, tmp_path: Path) -> None:
    network = Small().eval()
    half = onnx.ModelProto()
    half.CopyFrom(model)
    store_half_weights(half, [name for name, _ in network.named_parameters()])
    onnx.checker.check_model(half, full_check=True)
    float16 = {t.name for t in half.graph.initializer if t.data_type == TensorProto.FLOAT16}
    assert float16 == {
        "convolution.weight.float16",
        "again.weight.float16",
        "linear.weight.transposed.float16",
    }
    stored = stored_tensors(half)
    for name, tensor in network.state_dict().items():
        np.testing.assert_allclose(stored[name], tensor.numpy(), rtol=1e-3, atol=1e-6)
    onnx.save(half, tmp_path / "half.onnx")
    given = case(32, 48)
    session = open_onnx_file(tmp_path / "half.onnx", threads=1)
    found = session.run({k: v.numpy() for k, v in given.items()})
    with torch.inference_mode():
        np.testing.assert_allclose(found["found"], network(**given).numpy(), atol=1e-2)


def test_weights_beyond_half_are_stored_as_they_are() -> None:
    network = Small().eval()
    with torch.no_grad():
        network.again.weight[0] = 1e5
    model = trace_network(network, case(32, 48), ["found"])
    store_half_weights(model, [name for name, _ in network.named_parameters()])
    float16 = {t.name for t in model.graph.initializer if t.data_type == TensorProto.FLOAT16}
    assert "again.weight" not in {name.removesuffix(".float16") for name in float16}
    assert float(stored_tensors(model)["again.weight"].max()) == 1e5


def results(model: onnx.ModelProto, file: Path) -> np.ndarray:
    onnx.save(model, file)
    given = {"image": np.linspace(0, 1, 3 * 32 * 48, dtype=np.float32).reshape(1, 3, 32, 48)}
    found = open_onnx_file(file, threads=1).run({**given, "factor": np.ones(1, np.float32)})
    return found["found"]


def test_what_loses_nothing_is_stored_as_half(tmp_path: Path) -> None:
    network = Small().eval()
    with torch.no_grad():
        network.again.weight.copy_(network.again.weight.half().float())
        network.linear.weight[0] = 1e5
    model = trace_network(network, case(32, 48), ["found"])
    before = results(model, tmp_path / "before.onnx")
    store_exact_halves(model)
    types = {t.name: t.data_type for t in model.graph.initializer}
    assert types["again.weight.float16"] == TensorProto.FLOAT16
    assert types["convolution.weight"] == types["linear.weight.transposed"] == TensorProto.FLOAT
    np.testing.assert_array_equal(results(model, tmp_path / "after.onnx"), before)


def test_short_names_change_no_result_and_no_tensor(tmp_path: Path) -> None:
    network = Small().eval()
    model = trace_network(network, case(32, 48), ["found"])
    store_half_weights(model, [name for name, _ in network.named_parameters()])
    before, size, stored = (
        results(model, tmp_path / "a.onnx"),
        model.ByteSize(),
        stored_tensors(model),
    )
    shorten_names(model)
    onnx.checker.check_model(model, full_check=True)
    assert model.ByteSize() < size
    assert not any(node.name for node in model.graph.node)
    assert stored_tensors(model).keys() == stored.keys()
    np.testing.assert_allclose(results(model, tmp_path / "b.onnx"), before, atol=1e-6)


def test_biases_have_their_convolutions_name_whatever_their_own_is() -> None:
    weight = onnx.numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "part.conv.weight")
    bias = onnx.numpy_helper.from_array(np.full(2, 7, np.float32), "folded_12")
    node = onnx.helper.make_node("Conv", ["x", "part.conv.weight", "folded_12"], ["y"])
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [], [weight, bias]))
    np.testing.assert_array_equal(stored_tensors(model)["part.conv.bias"], [7, 7])


def test_what_can_t_be_traced_is_refused() -> None:
    class Odd(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            values: Tensor = torch.linalg.svdvals(image)
            return values

    with pytest.raises(WeightsError, match="this network can't be exported") as caught:
        trace_network(Odd(), {"image": torch.rand(1, 3, 4, 4)}, ["found"])
    assert "\n" not in str(caught.value)
