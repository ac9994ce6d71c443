"""What an interrupted run needs to go on as if nothing had happened: out/last.ckpt."""

import io
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import Precision
from torch import nn

from matte.errors import OutputError, SettingError, WeightsError
from matte.files import make_folder, write_file
from matte.training.schedule import Progress

FILE = "last.ckpt"
KEPT = ("best.safetensors", "last.safetensors", FILE)  # what a new run must not replace
# What may differ when a run goes on.
FREE = {"run.steps", "run.validate_every", "run.patience", "run.workers"}
Recipe = dict[str, Any]


def claim(out: Path, resume: bool) -> None:
    """Makes the folder of a run; raises if a new one would replace another's networks there, or if
    there is nothing to resume.
    """
    if resume and not (out / FILE).is_file():
        raise WeightsError(f"nothing to resume in {out}", "start without --resume")
    there = next((name for name in KEPT if (out / name).exists()), None)
    if there and not resume:
        raise OutputError(
            f"{out} has {there} of another run",
            "add --resume to go on with it, or name another folder",
        )
    make_folder(out)


def save(
    out: Path,
    recipe: Recipe,
    progress: Progress,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    precision: Precision,
) -> None:
    """Writes everything that the next step depends on; of `precision`, how gradients are scaled."""
    stream = io.BytesIO()
    whole = {
        "recipe": recipe,
        "progress": asdict(progress),
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "precision": precision.state_dict(),
        "random": torch.get_rng_state(),
        "random on gpus": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    torch.save(whole, stream)
    write_file(out / FILE, stream.getvalue(), overwrite=True)


def load(
    out: Path,
    recipe: Recipe,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    precision: Precision,
) -> Progress:
    """Where the run in that folder stood, with everything as it was then."""
    path = out / FILE
    try:
        whole: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        _compare(whole["recipe"], recipe)
        network.load_state_dict(whole["network"])
        average.load_state_dict(whole["average"])
        optimiser.load_state_dict(whole["optimiser"])
        if scaling := whole.get("precision"):  # most have none, nor have files of older versions
            precision.load_state_dict(scaling)
        torch.set_rng_state(whole["random"])
        if torch.cuda.is_available() and whole["random on gpus"]:
            torch.cuda.set_rng_state_all(whole["random on gpus"])
        return Progress(**whole["progress"])
    except SettingError:
        raise
    except Exception as error:  # torch.load documents no set of errors
        raise WeightsError(
            f"can't resume from {path}",
            "is it the same recipe? Else start anew in another folder, with --init"
            f" {out / 'last.safetensors'}",
        ) from error


def flat(settings: Any) -> Recipe:
    """A settings dataclass as plain values by dotted names."""

    def parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict | list | tuple):
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            for key, part in inner:
                yield from parts(f"{name}.{key}" if name else str(key), part)
        else:
            yield name, value

    return dict(parts("", asdict(settings)))


def _compare(then: Recipe, now: Recipe) -> None:
    for name in sorted(then.keys() | now.keys()):
        if name not in FREE and then.get(name) != now.get(name):
            raise SettingError(
                f"the run to resume had {name} = {then.get(name)}, not {now.get(name)}",
                "resume with its own recipe",
            )
