"""How many multiplications a network does: counted from what it did, operator by operator."""

import json
import math
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.errors import is_memory_error, out_of_memory
from matte.runtime.failures import opening_failure

# Operators that multiply and add for each value of their output as often as a kernel (C, h, w) has
# values, and which of their inputs is the kernels, (out, C, h, w).
CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "DeformConv": 1, "QLinearConv": 3}
# Operators that do so for each value of their output as often as their first input's last axis is
# long.
PRODUCTS = ("MatMul", "MatMulInteger", "QLinearMatMul")
# Operators that multiply in ways that shapes alone don't tell.
UNCOUNTABLE = ("Attention", "Einsum", "GRU", "LSTM", "MultiHeadAttention", "RNN")

Shape = tuple[int, ...]


def count_macs(path: Path, inputs: Mapping[str, NDArray[np.float32]]) -> int | None:
    """Return the multiply-accumulate operations of an ONNX file's network for these inputs.

    Convolutions and products of matrices count, with the zeros around a picture; sums, norms and
    resizing don't. The network is run once by ONNX Runtime, as it is in the file, so that every
    shape is the true one. None without ONNX Runtime, and for networks of which shapes don't tell.
    """
    if find_spec("onnxruntime") is None:
        return None
    total = 0
    for operator, taken, given in _run_profiled(path, inputs):
        if operator in UNCOUNTABLE:
            return None
        try:
            total += _operator_macs(operator, taken, given)
        except IndexError:  # the profile lacks a shape
            return None
    return total


def _operator_macs(operator: str, taken: list[Shape], given: list[Shape]) -> int:
    """Return the multiply-accumulate operations of one operator, by the shapes of its tensors.

    0 for operators that neither convolve nor multiply matrices.
    """
    if operator in CONVOLUTIONS:
        return math.prod(given[0]) * math.prod(taken[CONVOLUTIONS[operator]][1:])
    if operator == "ConvTranspose":  # each value of the input is spread over a kernel (out, h, w)
        return math.prod(taken[0]) * math.prod(taken[1][1:])
    if operator in PRODUCTS:
        return math.prod(given[0]) * taken[0][-1]
    if operator == "Gemm":  # (M, K) or (K, M), times (K, N) or (N, K)
        return math.prod(taken[0]) * given[0][-1]
    return 0


def _run_profiled(
    path: Path, inputs: Mapping[str, NDArray[Any]]
) -> list[tuple[str, list[Shape], list[Shape]]]:
    """Run a network once; return each operator's name, and the shapes that it took and gave."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Otherwise operators are joined to others, of other names.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Otherwise weights that a kernel has packed anew are missing in what it took.
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.log_severity_level = 4  # errors are raised, and need not be printed too
    options.enable_profiling = True
    with TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        try:
            session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
            session.run(None, dict(inputs))
            profile = Path(session.end_profiling()).read_text(encoding="utf-8")
        # ONNX Runtime's errors have no common class below Exception.
        except Exception as error:
            if is_memory_error(error):
                raise out_of_memory("ONNX Runtime") from error
            reason = str(error).strip().partition("\n")[0]
            raise opening_failure("ONNX Runtime", path, error, reason) from error
    events = (event.get("args", {}) for event in json.loads(profile))
    return [
        (
            str(args["op_name"]),
            _shapes(args["input_type_shape"]),
            _shapes(args["output_type_shape"]),
        )
        for args in events
        if "output_type_shape" in args
    ]


def _shapes(tensors: list[dict[str, list[int]]]) -> list[Shape]:
    """Return shapes from a profile's list, whose items are each {type: shape}."""
    return [tuple(shape) for tensor in tensors for shape in tensor.values()]
