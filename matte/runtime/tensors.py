"""Torch weights on disk: safetensors that name their kind of network, never pickles."""

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
    path: Path, tensors: Mapping[str, torch.Tensor], kind: str, facts: Mapping[str, Any]
) -> None:
    """Write a network's tensors, its kind, and JSON facts about it, to one file."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(path, save(plain, {"matte": json.dumps({"kind": kind, **facts})}), overwrite=True)


def network_kind(path: Path) -> str:
    """Return the kind of network that a file of `save_tensors` holds."""
    return str(_read_header(path)["kind"])


def load_tensors(path: Path, kind: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the facts of a file of `save_tensors`; raise for another kind."""
    facts = _read_header(path)
    found = facts.pop("kind")
    if found != kind:
        raise WeightsError(f"{path} holds a {found}", f"give a {kind}")
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118  # no dict


def _read_header(path: Path) -> dict[str, Any]:
    """Return the facts that a file of `save_tensors` holds, its kind among them."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["matte"])
            return {"kind": facts.pop("kind"), **facts}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"can't read {path}", "give a .safetensors of matte") from error
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path} is not one of matte's", "import it first") from error
