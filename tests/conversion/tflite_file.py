"""Tiny TensorFlow Lite files: convolutions with quantised weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

SCALE, ZERO, BIAS_SCALE = 0.5, 128, 0.25


@dataclass(frozen=True)
class Layer:
    """`weight` as torch orders it, uint8 around 128 in steps of 0.5; `bias` in steps of 0.25."""

    weight: NDArray[np.uint8]
    bias: NDArray[np.int32]
    depthwise: bool = False


def write_tflite(path: Path, layers: list[Layer]) -> None:
    b = flatbuffers.Builder(1024)
    buffers, tensors, operators = [_buffer(b, b"")], [_tensor(b, (1, 1, 1, 1), 0, None)], []
    for layer in layers:
        order = (1, 2, 3, 0) if layer.depthwise else (0, 2, 3, 1)
        stored = np.ascontiguousarray(layer.weight.transpose(order))
        for values, quantised in ((stored, (SCALE, ZERO)), (layer.bias, (BIAS_SCALE, 0))):
            buffers.append(_buffer(b, values.tobytes()))
            tensors.append(_tensor(b, values.shape, len(buffers) - 1, quantised))
        inputs = b.CreateNumpyVector(np.array([0, len(tensors) - 2, len(tensors) - 1], np.int32))
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, int(layer.depthwise))
        tflite.OperatorAddInputs(b, inputs)
        operators.append(tflite.OperatorEnd(b))
    codes = []
    for code in (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D):
        tflite.OperatorCodeStart(b)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, code)
        tflite.OperatorCodeAddBuiltinCode(b, code)
        codes.append(tflite.OperatorCodeEnd(b))
    parts = [_vector(b, found) for found in (tensors, operators)]
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, parts[0])
    tflite.SubGraphAddOperators(b, parts[1])
    graphs = [tflite.SubGraphEnd(b)]
    lists = [_vector(b, found) for found in (codes, graphs, buffers)]
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddOperatorCodes(b, lists[0])
    tflite.ModelAddSubgraphs(b, lists[1])
    tflite.ModelAddBuffers(b, lists[2])
    b.Finish(tflite.ModelEnd(b), b"TFL3")
    path.write_bytes(bytes(b.Output()))


def _buffer(b: Any, data: bytes) -> int:
    stored = b.CreateByteVector(data)
    tflite.BufferStart(b)
    tflite.BufferAddData(b, stored)
    return int(tflite.BufferEnd(b))


def _tensor(
    b: Any, shape: tuple[int, ...], buffer: int, quantised: tuple[float, int] | None
) -> int:
    told = None
    if quantised:
        scale = b.CreateNumpyVector(np.array([quantised[0]], np.float32))
        zero = b.CreateNumpyVector(np.array([quantised[1]], np.int64))
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scale)
        tflite.QuantizationParametersAddZeroPoint(b, zero)
        told = tflite.QuantizationParametersEnd(b)
    sides = b.CreateNumpyVector(np.array(shape, np.int32))
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, sides)
    weight = quantised is not None and quantised[1] != 0
    tflite.TensorAddType(b, tflite.TensorType.UINT8 if weight else tflite.TensorType.INT32)
    tflite.TensorAddBuffer(b, buffer)
    if told is not None:
        tflite.TensorAddQuantization(b, told)
    return int(tflite.TensorEnd(b))


def _vector(b: Any, offsets: list[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return int(b.EndVector())
