"""Convert the authors' MODNet checkpoints to matte's MODNet."""

import warnings
from collections.abc import Mapping

import torch

from matte.conversion.checkpoints import check_state_dict, strip_module_prefix, to_float32
from matte.errors import MatteWarning
from matte.modnet.network import ModnetInfo, build_network

BRANCH_PREFIXES = ("lr_branch.", "hr_branch.", "f_branch.")
BACKBONE_PREFIX = "backbone."
BACKBONE_COPY_PREFIX = (
    "lr_branch.backbone."  # the same module a second time, in their code and in their files
)


def is_official_modnet(state: Mapping[str, torch.Tensor]) -> bool:
    """Return whether these are the tensors of a MODNet, the released one or another."""
    keys = strip_module_prefix(state)
    return all(any(key.startswith(branch) for key in keys) for branch in BRANCH_PREFIXES)


def from_official_modnet(
    state: Mapping[str, torch.Tensor],
) -> tuple[ModnetInfo, dict[str, torch.Tensor]]:
    """Return which MODNet the tensors are of, and the state dict for it in float32.

    With or without `module.` before the keys, the backbone in both of its places or in one. Any
    other than the released network is refused, with the first keys that differ.
    """
    info = ModnetInfo()
    single = _merge_backbones(strip_module_prefix(state))
    with torch.device("meta"):
        expected = build_network(info).state_dict()
    check_state_dict(single, expected, "the released MODNet")
    return info, to_float32({key: single[key] for key in expected})


def _merge_backbones(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors with the backbone in one place, where the authors' files hold it twice."""
    copied = {
        BACKBONE_PREFIX + k.removeprefix(BACKBONE_COPY_PREFIX): t
        for k, t in state.items()
        if k.startswith(BACKBONE_COPY_PREFIX)
    }
    others = {
        key: tensor for key, tensor in state.items() if not key.startswith(BACKBONE_COPY_PREFIX)
    }
    if any(key in others and not torch.equal(others[key], copied[key]) for key in copied):
        warnings.warn(
            "the checkpoint's two backbones differ; the one in the low-resolution branch is"
            " taken, as the authors' code does by loading it last",
            MatteWarning,
            stacklevel=3,
        )
    # Keys that only the first place has would be missing in the second: both are kept.
    return others | copied
