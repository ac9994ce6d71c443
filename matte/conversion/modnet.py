"""The authors' MODNet checkpoints to matte's."""

import warnings
from collections.abc import Mapping

import torch

from matte.conversion.checkpoints import as_float32, refuse_other_keys, without_prefix
from matte.errors import MatteWarning
from matte.modnet.network import ModnetInfo, build_network

BRANCHES = ("lr_branch.", "hr_branch.", "f_branch.")
BACKBONE = "backbone."
COPY = "lr_branch.backbone."  # the same module a second time, in their code and in their files


def is_official_modnet(state: Mapping[str, torch.Tensor]) -> bool:
    """Whether these are the tensors of a MODNet, be it another than the released one."""
    keys = without_prefix(state)
    return all(any(key.startswith(branch) for key in keys) for branch in BRANCHES)


def from_official(state: Mapping[str, torch.Tensor]) -> tuple[ModnetInfo, dict[str, torch.Tensor]]:
    """Which MODNet it is, and the state_dict for `build_network` of that, float32.

    With or without `module.` before the keys, the backbone in both of its places or in one. Any
    other than the released network is refused, with the first keys that differ.
    """
    info = ModnetInfo()
    single = _with_one_backbone(without_prefix(state))
    with torch.device("meta"):
        expected = build_network(info).state_dict()
    refuse_other_keys(single, expected, "the released MODNet")
    return info, as_float32({key: single[key] for key in expected})


def _with_one_backbone(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    copied = {BACKBONE + k.removeprefix(COPY): t for k, t in state.items() if k.startswith(COPY)}
    others = {key: tensor for key, tensor in state.items() if not key.startswith(COPY)}
    if any(key in others and not torch.equal(others[key], copied[key]) for key in copied):
        warnings.warn(
            "the checkpoint's two backbones differ; the one in the low-resolution branch is"
            " taken, as the authors' code does by loading it last",
            MatteWarning,
            stacklevel=3,
        )
    # Keys that only the first place has would be missing in the second: both are kept.
    return others | copied
