"""Torch weights on disk: safetensors with what they are in the metadata, never pickles."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from matte.errors import WeightsError
from matte.files import write_file


def save_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], kind: str, told: Mapping[str, Any]
) -> None:
    """Writes the tensors of a network of that kind, and what is told about it, in one go."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(path, save(plain, {"matte": json.dumps({"kind": kind, **told})}), overwrite=True)


def kind_of(path: Path) -> str:
    """What network a file that `save_tensors` wrote is of."""
    return str(_told(path)["kind"])


def load_tensors(path: Path, kind: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors of a file that `save_tensors` wrote for that kind, and what it tells."""
    told = _told(path)
    found = told.pop("kind")
    if found != kind:
        raise WeightsError(f"{path} holds a {found}", f"give a {kind}")
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, told  # noqa: SIM118  # no dict


def _told(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, framework="pt") as file:
            told = json.loads((file.metadata() or {})["matte"])
            return {"kind": told.pop("kind"), **told}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"can't read {path}", "give a .safetensors of matte") from error
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path} is not one of matte's", "import it first") from error
