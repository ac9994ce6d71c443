"""Build TensorRT engines by NVIDIA's torch2trt, in its ONNX mode.

Its own converters are never used: they would keep what the attention saw in the example as weights.
Its ONNX mode exports the torch network with free sizes and has TensorRT's parser read that.
"""

from pathlib import Path
from typing import Any

import tensorrt as trt

from matte.conversion.onnx_to_torch import is_own_file, torch_from_onnx
from matte.errors import BackendError, WeightsError
from matte.runtime.engine_builder import input_shape
from matte.runtime.engine_compiler import read_onnx_header
from matte.runtime.engine_shapes import EngineShapes
from matte.runtime.engine_store import EngineKey
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.gpus import gpu_number

OTHER_BUILDER = "use --via onnx"
ONNX_OPSET = 18
MAX_WORKSPACE_BYTES = 4 << 30  # bytes; versions that set a limit would set 32 MiB


def build_by_torch2trt(
    network: NetworkSource, execution: Execution, key: EngineKey, shapes: EngineShapes
) -> bytes:
    """Return the plan of an engine for a network that matte wrote."""
    convert = _import_torch2trt(key)
    if not is_own_file(network.path):
        raise WeightsError(f"{network.path} has no torch network", OTHER_BUILDER)
    import torch

    declared_shapes, _ = read_onnx_header(network.path)
    device = torch.device("cuda", gpu_number(execution.device))
    module = _without_query_parts(torch_from_onnx(network.path).exported).to(device)
    sizes = [
        [input_shape(declared, size) for declared in declared_shapes.values()]
        for size in (shapes.smallest, shapes.usual, shapes.largest)
    ]
    # Anything will do that is not all known: the mode reads no values.
    inputs = [torch.full(shape, 0.5, device=device) for shape in sizes[1]]
    try:
        with torch.cuda.device(device), torch.inference_mode():
            done = convert(
                module,
                inputs,
                input_names=list(declared_shapes),
                output_names=_output_names(network.path),
                use_onnx=True,
                onnx_opset=ONNX_OPSET,
                max_workspace_size=MAX_WORKSPACE_BYTES,
                min_shapes=sizes[0],
                opt_shapes=sizes[1],
                max_shapes=sizes[2],
            )
    # It wraps an exporter, a graph library and a parser, each with errors of its own.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise BackendError(f"torch2trt failed ({reason})", OTHER_BUILDER) from error
    if done.engine is None:  # it does not look at what the parser says
        raise BackendError(f"torch2trt built no engine for TensorRT {key.tensorrt}", OTHER_BUILDER)
    engine: trt.ICudaEngine = done.engine
    return bytes(engine.serialize())


def _import_torch2trt(key: EngineKey) -> Any:
    """Return torch2trt's converter; raise BackendError with the remedy if it is not usable."""
    try:
        import onnx_graphsurgeon  # noqa: F401  # its ONNX mode needs it
        from torch2trt import torch2trt
    except ModuleNotFoundError as error:
        name = str(error.name)
        remedy = (
            "pip install git+https://github.com/NVIDIA-AI-IOT/torch2trt (PyPI does not have it)"
            if name == "torch2trt"
            else f"pip install {name.replace('_', '-')}"
        )
        raise BackendError(
            f"--via torch2trt needs {name}", f"{remedy}, or {OTHER_BUILDER}"
        ) from error
    # Its releases look at names that TensorRT 11 has no more.
    except (ImportError, AttributeError) as error:
        raise BackendError(
            f"this torch2trt does not work with TensorRT {key.tensorrt} ({error})",
            f"{OTHER_BUILDER}, or install TensorRT 10",
        ) from error
    return torch2trt


def _without_query_parts(module: Any) -> Any:
    """Return the network in evaluation mode with its attention in one piece, as it is exported."""
    if hasattr(module, "set_queries"):
        module.set_queries(None)
    return module.eval()


def _output_names(path: Path) -> list[str]:
    """Return the names of an ONNX file's outputs."""
    import onnx

    return [value.name for value in onnx.load(path, load_external_data=False).graph.output]
