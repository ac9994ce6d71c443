"""Segmenters joined into one network, whose logits are the mean of theirs."""

from collections.abc import Sequence
from pathlib import Path

from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.conversion.parity import ParityReport
from matte.conversion.segmenter_export import export_segmenter
from matte.errors import SettingError, WeightsError
from matte.segmentation.network import (
    JOINT,
    KIND,
    CheckpointInfo,
    SegmentationNetwork,
    info_from_notes,
    join_networks,
    load_checkpoint,
    output_name,
    save_checkpoint,
)

MAX_SUM_ERROR = 1e-6


def join_segmenters(
    members: Sequence[Path], out: Path, shares: Sequence[float] = ()
) -> ParityReport:
    """Write the segmenters' mean to `out`, a .safetensors, and as ONNX beside it.

    Returns how well the ONNX file agrees with torch. The joined network sees pictures at the size
    of the first member. `shares` are the members' in the mean; () are equal ones.
    """
    if len(members) < 2:
        raise SettingError("one network alone", "name two segmenters or more")
    if shares and (len(shares) != len(members) or abs(sum(shares) - 1) > MAX_SUM_ERROR):
        raise SettingError(
            f"the shares {', '.join(f'{s:g}' for s in shares)} of {len(members)} networks",
            "give one for each, which add up to 1",
        )
    pairs = [_load_member(path) for path in members]
    architecture = JOINT.join(info.architecture for _, info in pairs)
    network = join_networks([network for network, _ in pairs], shares)
    save_checkpoint(network, CheckpointInfo(architecture, pairs[0][1].size), out)
    return export_segmenter(out, out.with_suffix(".onnx"))


def _load_member(path: Path) -> tuple[SegmentationNetwork, CheckpointInfo]:
    """Load a segmenter from a checkpoint or an ONNX file; its band could not be joined."""
    if path.suffix == ".onnx":
        stored = torch_from_onnx(path)
        if not isinstance(stored.network, SegmentationNetwork):
            raise WeightsError(f"{path} holds a {stored.kind}", f"give a {KIND}")
        network, info = stored.network, info_from_notes(stored.notes)
    else:
        network, info = load_checkpoint(path)
    if JOINT in info.architecture:
        raise WeightsError(f"{path} was joined before", "join all of its networks at once")
    if output_name(info.architecture) != "mask":
        raise WeightsError(f"{path} has a learnt band", "join segmenters without one")
    return network, info
