"""Write torch networks as ONNX files, each compared with torch before it is in its place."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnx import helper
from torch import nn

from matte.conversion.folding import fold_batch_norms, round_weights_to_half
from matte.conversion.onnx_graphs import shorten_names, store_half_weights, trace_network
from matte.conversion.parity import (
    MAX_DIFFERENCE,
    Example,
    ParityReport,
    check_differences,
    runtime_differences,
)
from matte.errors import OutputError


def write_network(
    network: nn.Module,
    path: Path,
    notes: Mapping[str, str],
    examples: Sequence[Example],
    output: str,
    *,
    half: bool,
    max_difference: float = MAX_DIFFERENCE,
) -> ParityReport:
    """Write a network as ONNX for any size, and return how well runtimes agree with torch.

    ONNX Runtime and OpenVINO are compared on the `examples`, of which the first is traced. No file
    is left at `path` if they differ by more than `max_difference`.

    `half` stores the weights as float16; all computation stays float32. `notes` go into the file,
    "kind" and "architecture" among them; they are all that `torch_from_onnx` needs.
    """
    plain = copy.deepcopy(network).cpu().float().eval()
    folded = fold_batch_norms(plain, examples[0])
    stored = round_weights_to_half(folded) if half else folded
    model = trace_network(stored, examples[0], [output])
    if half:
        store_half_weights(model, (name for name, _ in stored.named_parameters()))
    shorten_names(model)
    helper.set_model_props(model, {f"matte.{key}": value for key, value in notes.items()})
    with _replace_on_success(path) as temporary:
        onnx.save(model, temporary)
        onnx.checker.check_model(temporary, full_check=True)
        found = tuple(runtime_differences(temporary, stored, examples, plain if half else None))
        check_differences(found, max_difference)
    name = ", ".join(v for k, v in notes.items() if k in ("kind", "architecture", "encoder"))
    return ParityReport(path, name, found)


@contextmanager
def _replace_on_success(path: Path) -> Iterator[Path]:
    """Yield a temporary path, whose file replaces `path` when the block ends without an error.

    If the block raises, nothing is left.
    """
    temporary = path.with_name(f"{path.stem}.part.onnx")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"can't write {path}", str(error.strerror)) from error
    finally:
        temporary.unlink(missing_ok=True)
