"""Convert state dicts of the released GCA code to matte's GCA network.

The released code keeps each convolution below a wrapper for its spectral norm: the raw weight in
`X.module.weight_bar` and two singular vectors in `X.module.weight_u` and `…_v`. Here they
become `X.weight`; all other names stay.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from matte.errors import WeightsError
from matte.refiner.network import GcaDesign, GcaNetwork, spectral_convolutions

MAX_LISTED_DIFFERENCES = 3  # differences that an error lists
REMEDY = "give a checkpoint of the released GCA code"
RAW_WEIGHT, LEFT_VECTOR, RIGHT_VECTOR = ".module.weight_bar", ".module.weight_u", ".module.weight_v"


def is_official_gca(checkpoint: Mapping[str, Any]) -> bool:
    """Return whether a loaded checkpoint comes from the released GCA code or a relative."""
    state = _state_dict(checkpoint)
    return "encoder.conv1" + RAW_WEIGHT in state and any(
        key.startswith("decoder.") for key in state
    )


def from_official_gca(checkpoint: Mapping[str, Any]) -> tuple[GcaDesign, dict[str, Tensor]]:
    """Return the design that a loaded checkpoint is of, and its state dict in float32.

    It is {"state_dict": …} or bare, with or without the prefix "module.". One that fits none of
    the networks is refused, with the first names that differ.
    """
    state = _state_dict(checkpoint)
    design = _find_design(state)
    with torch.device("meta"):
        network = GcaNetwork(design)
    ours = network.state_dict()
    shapes = {key: tuple(tensor.shape) for key, tensor in ours.items()}
    spectral = [name for name, _ in spectral_convolutions(network)]
    _check_names_and_shapes(state, _official_shapes(shapes, spectral))
    folded = {f"{name}.weight": _fold_spectral_norm(name, state) for name in spectral}
    same = {key: state[key].to(like.dtype) for key, like in ours.items() if key not in folded}
    return design, same | folded


def _state_dict(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checkpoint's tensors by name, without wrapper and prefix."""
    inner = checkpoint.get("state_dict", checkpoint)
    state = inner if isinstance(inner, Mapping) else {}
    return {str(key).removeprefix("module."): value for key, value in state.items()}


def _find_design(state: Mapping[str, Any]) -> GcaDesign:
    """Return the design that the tensors' names and shapes imply."""
    first = state.get("encoder.conv1" + RAW_WEIGHT)
    if not isinstance(first, Tensor) or first.ndim != 4:
        raise WeightsError(f"no weights of GCA (encoder.conv1{RAW_WEIGHT} is missing)", REMEDY)
    attention = any(".gca." in key for key in state)
    return GcaDesign(attention=attention, trimap_channels=1 if first.shape[1] == 4 else 3)


def _official_shapes(
    shapes: Mapping[str, tuple[int, ...]], spectral: list[str]
) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the released code stores, for the shapes of matte's network."""
    official = dict(shapes)
    for name in spectral:
        shape = official.pop(f"{name}.weight")
        official[name + RAW_WEIGHT] = shape
        official[name + LEFT_VECTOR] = shape[:1]
        official[name + RIGHT_VECTOR] = (torch.Size(shape[1:]).numel(),)
    return official


def _check_names_and_shapes(
    state: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise WeightsError, which lists the first differences, unless names and shapes fit."""
    differences = [f"{key} is missing" for key in shapes if key not in state]
    differences += [f"{key} is unknown" for key in state if key not in shapes]
    for key in shapes.keys() & state.keys():
        shape = tuple(getattr(state[key], "shape", ("no tensor",)))
        if shape != shapes[key]:
            differences.append(f"{key} is {shape}, not {shapes[key]}")
    if differences:
        first = "; ".join(sorted(differences)[:MAX_LISTED_DIFFERENCES])
        more = (
            f"; {len(differences) - MAX_LISTED_DIFFERENCES} more"
            if len(differences) > MAX_LISTED_DIFFERENCES
            else ""
        )
        raise WeightsError(f"weights of another network than GCA ({first}{more})", REMEDY)


def _fold_spectral_norm(name: str, state: Mapping[str, Tensor]) -> Tensor:
    """Return a weight divided by u·W·v, its largest singular value; rows are dimension 0."""
    weight, u, v = (state[name + part].double() for part in (RAW_WEIGHT, LEFT_VECTOR, RIGHT_VECTOR))
    folded = (weight / (u @ (weight.flatten(1) @ v))).float()
    if not folded.isfinite().all():
        raise WeightsError(f"{name + RAW_WEIGHT} has weights that are not finite", REMEDY)
    return folded
