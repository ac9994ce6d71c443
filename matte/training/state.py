"""The state of a run on disk, from which it goes on as if nothing had happened: out/last.ckpt."""

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import Precision
from torch import nn

from matte.errors import OutputError, SettingError, WeightsError
from matte.files import make_folder, write_file
from matte.training.schedule import RunProgress

FILE = "last.ckpt"
PROTECTED_FILES = ("best.safetensors", "last.safetensors", FILE)  # no other run replaces them
# What may differ when a run goes on, perhaps on another machine.
CHANGEABLE_SETTINGS = {
    "run.steps",
    "run.validate_every",
    "run.save_minutes",
    "run.patience",
    "run.precision",
    "run.workers",
}
FlatRecipe = dict[str, Any]


@dataclass(slots=True, eq=False)
class RunState:
    """Everything that the next step of a run depends on.

    `recipe`: see `flatten_recipe`. `precision`: how gradients are scaled. `losses`: those of each
    step since the last validation, by name.
    """

    recipe: FlatRecipe
    network: nn.Module
    average: nn.Module
    optimiser: torch.optim.Optimizer
    precision: Precision
    progress: RunProgress = field(default_factory=RunProgress)
    losses: dict[str, list[float]] = field(default_factory=dict)

    def save(self, out: Path) -> None:
        """Write the state into the folder of the run, whole or not at all."""
        stream = io.BytesIO()
        whole = {
            "recipe": self.recipe,
            "progress": asdict(self.progress),
            "losses": self.losses,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "precision": self.precision.state_dict(),
            "random": torch.get_rng_state(),
            "random on gpus": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        torch.save(whole, stream)
        write_file(out / FILE, stream.getvalue(), overwrite=True)

    def restore(self, out: Path) -> None:
        """Bring everything to where the run in that folder was saved."""
        path = out / FILE
        try:
            whole: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            _refuse_other_recipe(whole["recipe"], self.recipe)
            self.network.load_state_dict(whole["network"])
            self.average.load_state_dict(whole["average"])
            self.optimiser.load_state_dict(whole["optimiser"])
            # Most have no scaling, nor have files of older versions.
            if scaling := whole.get("precision"):
                self.precision.load_state_dict(scaling)
            torch.set_rng_state(whole["random"])
            if torch.cuda.is_available() and whole["random on gpus"]:
                torch.cuda.set_rng_state_all(whole["random on gpus"])
            self.progress = RunProgress(**whole["progress"])
            self.losses = whole.get("losses", {})
        except SettingError:
            raise
        except Exception as error:  # torch.load documents no set of errors
            raise WeightsError(
                f"can't resume from {path}",
                "is it the same recipe? Else start anew in another folder, with --init"
                f" {out / 'last.safetensors'}",
            ) from error


def claim_folder(out: Path, resume: bool) -> None:
    """Make the folder of a run; raise if it is another run's, or has nothing to resume.

    It is another's if it holds networks, and the run doesn't resume.
    """
    if resume and not (out / FILE).is_file():
        raise WeightsError(f"nothing to resume in {out}", "start without --resume")
    existing = next((name for name in PROTECTED_FILES if (out / name).exists()), None)
    if existing and not resume:
        raise OutputError(
            f"{out} has {existing} of another run",
            "add --resume to go on with it, or name another folder",
        )
    make_folder(out)


def flatten_recipe(settings: Any) -> FlatRecipe:
    """Return the values of a settings dataclass by their dotted names, such as "run.steps"."""

    def items(name: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict | list | tuple):
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in inner:
                yield from items(f"{name}.{key}" if name else str(key), item)
        else:
            yield name, value

    return dict(items("", asdict(settings)))


def _refuse_other_recipe(saved: FlatRecipe, current: FlatRecipe) -> None:
    """Raise if a setting that can't change in a run differs from the saved run's."""
    for name in sorted(saved.keys() | current.keys()):
        if name not in CHANGEABLE_SETTINGS and saved.get(name) != current.get(name):
            raise SettingError(
                f"the run to resume had {name} = {saved.get(name)}, not {current.get(name)}",
                "resume with its own recipe",
            )
