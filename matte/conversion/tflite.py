"""Read the convolutions of a TensorFlow Lite file as float32 weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.errors import WeightsError


@dataclass(frozen=True, slots=True, eq=False)
class TfliteConvolution:
    """A convolution's weights in torch's order.

    `weight`: (out, in / groups, height, width), `bias`: (out,).
    """

    weight: FloatArray
    bias: FloatArray


def read_convolutions(path: Path) -> list[TfliteConvolution]:
    """Return all convolutions of a file in the order they run; quantised ones as real values."""
    from tflite.BuiltinOperator import BuiltinOperator
    from tflite.Model import Model

    try:
        model = Model.GetRootAs(path.read_bytes(), 0)
        graph = model.Subgraphs(0)
        found = []
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            kind = model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()
            if kind in (BuiltinOperator.CONV_2D, BuiltinOperator.DEPTHWISE_CONV_2D):
                _, weight, bias = operator.InputsAsNumpy()
                # (out, height, width, in), but (1, height, width, out) when depthwise.
                order = (0, 3, 1, 2) if kind == BuiltinOperator.CONV_2D else (3, 0, 1, 2)
                values = _real_values(model, graph.Tensors(weight)).transpose(order)
                found.append(
                    TfliteConvolution(
                        np.ascontiguousarray(values), _real_values(model, graph.Tensors(bias))
                    )
                )
    except OSError as error:
        raise WeightsError(f"can't read {path}", str(error.strerror)) from error
    except Exception as error:  # the reader trusts its input; a broken file fails anywhere
        raise WeightsError(f"{path} is not a TensorFlow Lite network", "check the file") from error
    return found


def _real_values(model: Any, tensor: Any) -> FloatArray:  # the reader has no types
    """Return a tensor's values in float32, with scale and zero point applied."""
    from tflite.TensorType import TensorType

    kinds = {
        TensorType.FLOAT32: np.float32,
        TensorType.UINT8: np.uint8,
        TensorType.INT8: np.int8,
        TensorType.INT32: np.int32,
    }
    raw: NDArray[Any] = model.Buffers(tensor.Buffer()).DataAsNumpy()
    values = raw.view(kinds[tensor.Type()]).reshape(tensor.ShapeAsNumpy()).astype(np.float32)
    quantisation = tensor.Quantization()
    if quantisation is None or not quantisation.ScaleLength():
        return values
    shape = [1] * values.ndim
    shape[quantisation.QuantizedDimension()] = -1  # one scale for all, or one for each channel
    scale = np.asarray(quantisation.ScaleAsNumpy(), np.float32).reshape(shape)
    zero = np.asarray(
        quantisation.ZeroPointAsNumpy() if quantisation.ZeroPointLength() else [0], np.float32
    )
    return (values - zero.reshape(shape)) * scale
