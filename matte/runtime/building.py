"""TensorRT's builder: an ONNX file in, an engine out, for TensorRT 10 and 11 alike.

The network is strongly typed: what is calculated in which numbers stands in the file
(`matte.runtime.typed`), for TensorRT 11 knows no other way.
"""

from collections.abc import Mapping, Sequence

import tensorrt as trt

from matte.errors import BackendError
from matte.runtime.engines import Shapes, Size

TOLD = 3  # things that went wrong which an error lists


class Log(trt.ILogger):  # type: ignore[misc]  # the bindings have no types
    """Keeps what TensorRT says went wrong, and prints nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        """Called by TensorRT, from its own threads too."""
        if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
            self.errors.append(msg)


def build_plan(
    model: bytes,
    ranks: Mapping[str, Sequence[int | None]],
    shapes: Shapes,
    timing: bytes,
) -> tuple[bytes, bytes]:
    """The engine of a typed ONNX model, and what was learnt about the GPU's timings.

    `ranks` are the shapes of the inputs, None where they are free; `timing` is what was learnt
    before, or nothing. The GPU is CUDA's current one.
    """
    log = Log()
    try:
        builder = trt.Builder(log)
    except TypeError as error:  # what the bindings make of none
        raise BackendError(
            f"TensorRT can't be started ({joined(log.errors)})", "run 'matte doctor'"
        ) from error
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model):
        errors = [parser.get_error(number) for number in range(parser.num_errors)]
        told = [f"{error.node_operator()} {error.node_name()}: {error.desc()}" for error in errors]
        raise BackendError(
            f"TensorRT can't read the network ({joined(told or log.errors)})",
            "use --backend torch or onnx",
        )
    config = builder.create_builder_config()
    # What is float32 stays so: TensorFloat-32 has no more digits than a half.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.set_timing_cache(config.create_timing_cache(timing), ignore_mismatch=False)
    profile = builder.create_optimization_profile()
    for name, rank in ranks.items():
        sizes = (shapes.smallest, shapes.usual, shapes.largest)
        smallest, usual, largest = (filled(rank, size) for size in sizes)
        profile.set_shape(name, min=smallest, opt=usual, max=largest)
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(
            f"TensorRT can't build the engine ({joined(log.errors)})",
            "compile it for smaller pictures, --max, or use --backend torch or onnx",
        )
    return bytes(plan), bytes(config.get_timing_cache().serialize())


def filled(rank: Sequence[int | None], size: Size) -> tuple[int, ...]:
    """The shape of an input at that size: (batch, channels, height, width) or (batch,)."""
    whole = (size[0], 3, *size[1:])
    return tuple(
        length if length is not None else free for length, free in zip(rank, whole, strict=False)
    )


def joined(told: Sequence[str]) -> str:
    """The first few of what went wrong, on one line."""
    lines = [" ".join(text.split()) for text in told]
    more = f"; and {len(lines) - TOLD} more" if len(lines) > TOLD else ""
    return "; ".join(lines[:TOLD]) + more if lines else "it does not say why"
