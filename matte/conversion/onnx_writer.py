"""Networks as ONNX files, each compared with torch before it is there."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnx import helper
from torch import nn

from matte.conversion.folding import fold_batch_norms, round_weights_to_half
from matte.conversion.onnx_graphs import store_half_weights, trace_network
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
    cases: Sequence[Example],
    output: str,
    *,
    half: bool,
    same: float = MAX_DIFFERENCE,
) -> ParityReport:
    """Writes a network as ONNX for any size and says how well ONNX Runtime and OpenVINO agree
    with torch on the `cases`, of which the first is traced. Nothing is left at `path` when they
    are farther apart than `same`.

    `half` stores the weights as float16; all computation stays float32. `notes` go into the file,
    "kind" and "architecture" among them; what stands in them is all that the way back needs.
    """
    plain = copy.deepcopy(network).cpu().float().eval()
    folded = fold_batch_norms(plain, cases[0])
    stored = round_weights_to_half(folded) if half else folded
    model = trace_network(stored, cases[0], [output])
    if half:
        store_half_weights(model, (name for name, _ in stored.named_parameters()))
    helper.set_model_props(model, {f"matte.{key}": value for key, value in notes.items()})
    with _replace_on_success(path) as temporary:
        onnx.save(model, temporary)
        onnx.checker.check_model(temporary, full_check=True)
        found = tuple(runtime_differences(temporary, stored, cases, plain if half else None))
        check_differences(found, same)
    name = ", ".join(v for k, v in notes.items() if k in ("kind", "architecture", "encoder"))
    return ParityReport(path, name, found)


@contextmanager
def _replace_on_success(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, for a file that takes its place once the block is through.

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
