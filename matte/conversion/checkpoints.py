"""Read users' checkpoints without running anything that is in them.

Pickles can name any function and have it called. Torch's restricted reader calls tensors'
constructors only; files of 2020 also hold numbers of numpy's in their metadata, and for those
few names there are stand-ins here, which make plain Python numbers and dictionaries. A file that
names anything else is refused.
"""

import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from matte.errors import WeightsError
from matte.limits import MAX_CHECKPOINT_NESTING

MODULE_PREFIX = "module."  # what nn.DataParallel puts before every key
WRAPPER_KEYS = ("state_dict", "model_state_dict", "model")  # where checkpoints keep the tensors
MAX_LISTED_KEYS = 3  # keys that a refusal lists


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Return a checkpoint's tensors on the CPU, by the file's own keys and in its own types.

    Torch's zip files and the pickles from before 1.6, with or without optimiser state around
    them, and .safetensors.
    """
    head = _read_head(path)
    if not head:
        raise WeightsError(f"{path} is empty", "get it again")
    if path.suffix == ".safetensors" or head[8:9] == b"{":
        return _read_safetensors(path)
    if head.startswith(b"PK"):
        _check_torch_zip(path)
    elif not head.startswith(b"\x80"):
        raise WeightsError(f"{path} is not a checkpoint", "give a .ckpt, .pth or .safetensors")
    return _find_tensors(_unpickle(path), path)


def strip_module_prefix(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors without the prefix `module.`, if every key has it."""
    if all(key.startswith(MODULE_PREFIX) for key in state):
        return {key.removeprefix(MODULE_PREFIX): tensor for key, tensor in state.items()}
    return dict(state)


def check_state_dict(
    state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor], kind: str
) -> None:
    """Raise WeightsError with the first differences unless keys and shapes are as expected."""
    differences = [
        f"{key} is missing"
        if key not in state
        else f"{key} is {tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
        for key, tensor in expected.items()
        if key not in state or state[key].shape != tensor.shape
    ]
    differences += [f"{key} is too many" for key in state if key not in expected]
    if differences:
        rest = len(differences) - MAX_LISTED_KEYS
        more = f" and {rest} more" if rest > 0 else ""
        raise WeightsError(
            f"the checkpoint is not {kind}: {', '.join(differences[:MAX_LISTED_KEYS])}{more}",
            "give one of that architecture",
        )


def to_float32(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return copies of the tensors, real ones as float32; raise if a value is not finite."""
    converted = {}
    for key, tensor in state.items():
        real = tensor.float() if tensor.is_floating_point() else tensor
        if not real.isfinite().all():
            raise WeightsError(f"{key} is not finite", "give a checkpoint from before it diverged")
        converted[key] = real.clone(memory_format=torch.contiguous_format)
    return converted


def _read_head(path: Path) -> bytes:
    """Return the first bytes of a file, which tell its format."""
    try:
        with path.open("rb") as file:
            return file.read(9)
    except OSError as error:
        raise WeightsError(f"can't read {path}", str(error.strerror)) from error


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a .safetensors file."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} is not a whole safetensors file", "get it again") from error


def _check_torch_zip(path: Path) -> None:
    """Raise WeightsError if a zip file is TorchScript, damaged, or no checkpoint of torch's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    # A name that is no text is a ValueError, a kind of zip that Python can't read the last.
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise WeightsError(f"{path} is cut off or damaged", "get it again") from error
    if "constants.pkl" in names:
        raise WeightsError(f"{path} is TorchScript, a program", "give the checkpoint it is from")
    if "data.pkl" not in names:
        raise WeightsError(f"{path} is a zip file of something else", "give a checkpoint")


def _unpickle(path: Path) -> Any:
    """Return what a torch file holds, by torch's restricted reader."""
    try:
        # What torch says about old files is no news to whoever imports one.
        with warnings.catch_warnings(), torch.serialization.safe_globals(STAND_INS):
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch wraps its own error into a page of advice.
        reason = str(error.__context__ or error).partition("\n")[0]
        name = re.search(r"GLOBAL (\S+)", reason)
        if name:
            raise WeightsError(
                f"{path} holds {name[1]}, which matte doesn't load",
                "save its state_dict alone, with the code that it comes from",
            ) from error
        raise WeightsError(
            f"{path} is no checkpoint that can be read safely ({reason})", "get it again"
        ) from error
    # A damaged pickle may fail anywhere in the reader, in any way.
    except Exception as error:
        raise WeightsError(f"{path} is cut off or damaged", "get it again") from error


def _find_tensors(loaded: Any, path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors by name that a loaded checkpoint holds, below known wrappers."""
    for _ in range(MAX_CHECKPOINT_NESTING):
        if isinstance(loaded, Mapping):
            inner = [loaded[key] for key in WRAPPER_KEYS if isinstance(loaded.get(key), Mapping)]
            loaded = inner[0] if inner else loaded
    if not isinstance(loaded, Mapping) or not loaded:
        raise WeightsError(f"{path} holds no tensors by name", "give a checkpoint")
    for key, value in loaded.items():
        plain = isinstance(value, torch.Tensor) and value.layout is torch.strided
        if not isinstance(key, str) or not plain or value.is_quantized or value.is_meta:
            raise WeightsError(
                f"{path} holds no state_dict: its {key!r} is not a plain tensor",
                "give a checkpoint",
            )
    return {key: value.detach() for key, value in loaded.items()}


class _NumpyTypeStandIn:
    """Stands in for numpy.dtype: the code of a number's type and the order of its bytes."""

    def __init__(self, code: str, *_: Any) -> None:
        if not re.fullmatch(r"[biuf][1248]", code):
            raise pickle.UnpicklingError(f"numpy's type {code!r} is no number's")
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"


def _scalar_stand_in(kind: _NumpyTypeStandIn, stored: bytes) -> bool | int | float:
    """Return a plain number in place of numpy's scalar."""
    values: list[bool | int | float] = np.frombuffer(stored, kind.order + kind.code).tolist()
    (number,) = values
    return number


def _defaultdict_stand_in(*_: Any) -> dict[Any, Any]:
    """Return a plain dictionary in place of collections.defaultdict."""
    return {}


# OrderedDict is among torch's own; dict is what optimisers' defaultdicts make.
STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_NumpyTypeStandIn, "numpy.dtype"),
    (_scalar_stand_in, "numpy.core.multiarray.scalar"),
    (_scalar_stand_in, "numpy._core.multiarray.scalar"),  # the same since numpy 2
    (_defaultdict_stand_in, "collections.defaultdict"),
    (dict, "builtins.dict"),
]
