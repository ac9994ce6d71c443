"""Build TensorRT engines from ONNX models, by TensorRT 10 and 11 alike.

The network is strongly typed: the model itself says which values are in which precision
(`matte.runtime.mixed_precision`), since TensorRT 11 takes no other networks.
"""

from collections.abc import Mapping, Sequence

import tensorrt as trt

from matte.errors import BackendError
from matte.runtime.engine_shapes import EngineShapes, InputSize

MAX_LISTED_MESSAGES = 3  # of TensorRT's, in one error


class ErrorLog(trt.ILogger):  # type: ignore[misc]  # the bindings have no types
    """A logger of TensorRT that collects error messages and prints nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        """Collect a message if it is an error; TensorRT calls this, from its own threads too."""
        if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
            self.errors.append(msg)


def build_plan(
    model: bytes,
    declared_shapes: Mapping[str, Sequence[int | None]],
    shapes: EngineShapes,
    timing: bytes,
) -> tuple[bytes, bytes]:
    """Return the plan of a typed ONNX model, and the GPU's timings taken while it was built.

    `declared_shapes`: the inputs' shapes by name, None where a length is free. `timing`: the
    timings of earlier builds, or b"". The GPU is CUDA's current one.
    """
    log = ErrorLog()
    try:
        builder = trt.Builder(log)
    except TypeError as error:  # what the bindings make of none
        raise BackendError(
            f"TensorRT can't be started ({join_messages(log.errors)})", "run 'matte doctor'"
        ) from error
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model):
        errors = [parser.get_error(number) for number in range(parser.num_errors)]
        messages = [
            f"{error.node_operator()} {error.node_name()}: {error.desc()}" for error in errors
        ]
        raise BackendError(
            f"TensorRT can't read the network ({join_messages(messages or log.errors)})",
            "use --backend torch or onnx",
        )
    config = builder.create_builder_config()
    # What is float32 stays so: TensorFloat-32 has no more digits than a half.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.set_timing_cache(config.create_timing_cache(timing), ignore_mismatch=False)
    config.add_optimization_profile(_profile(builder, declared_shapes, shapes))
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(
            f"TensorRT can't build the engine ({join_messages(log.errors)})",
            "compile it for smaller pictures, --max, or use --backend torch or onnx",
        )
    return bytes(plan), bytes(config.get_timing_cache().serialize())


def _profile(
    builder: trt.Builder, declared_shapes: Mapping[str, Sequence[int | None]], shapes: EngineShapes
) -> trt.IOptimizationProfile:
    """Return the smallest, usual and largest shapes of all inputs, as TensorRT takes them."""
    profile = builder.create_optimization_profile()
    for name, declared in declared_shapes.items():
        sizes = (shapes.smallest, shapes.usual, shapes.largest)
        smallest, usual, largest = (input_shape(declared, size) for size in sizes)
        profile.set_shape(name, min=smallest, opt=usual, max=largest)
    return profile


def input_shape(declared: Sequence[int | None], size: InputSize) -> tuple[int, ...]:
    """Return an input's declared shape with its free lengths (None) set from a size.

    Lengths are batch, channels (3 where free), height and width; or the batch alone.
    """
    whole = (size[0], 3, *size[1:])
    return tuple(
        length if length is not None else free
        for length, free in zip(declared, whole, strict=False)
    )


def join_messages(messages: Sequence[str]) -> str:
    """Return the first few messages on one line, and how many more there are."""
    lines = [" ".join(text.split()) for text in messages]
    more = (
        f"; and {len(lines) - MAX_LISTED_MESSAGES} more" if len(lines) > MAX_LISTED_MESSAGES else ""
    )
    return "; ".join(lines[:MAX_LISTED_MESSAGES]) + more if lines else "it does not say why"
