"""The devices that a run takes place on."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric

from matte.errors import BackendError
from matte.training import state
from matte.training.collection import LineReport
from matte.training.precision import choose_precision
from matte.training.settings import Precision, RunSettings


@dataclass(frozen=True, slots=True)
class TrainingMachine:
    """The devices of a training run, and how the work is spread over them.

    `device` is "auto", "cpu" or "cuda", `devices` how many of it, `strategy` Fabric's.
    """

    device: str = "auto"
    devices: int = 1
    strategy: str = "auto"

    def fabric(self, precision: Precision, progress: LineReport = lambda _: None) -> Fabric:
        """Return Lightning Fabric, launched on the devices; `progress` gets the precision."""
        if self.device == "cuda" and not torch.cuda.is_available():
            raise BackendError("no device 'cuda' for torch", "use --device auto or cpu")
        if self.device not in ("auto", "cpu", "cuda"):
            raise BackendError(f"no device {self.device!r}", "use --device auto, cpu or cuda")
        on_gpu = self.device == "cuda" or (self.device == "auto" and torch.cuda.is_available())
        chosen = choose_precision(precision, on_gpu)
        progress(str(chosen))
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # its news were asked for
        try:
            fabric = Fabric(
                accelerator="cuda" if on_gpu else "cpu",
                devices=self.devices,
                strategy=self.strategy,
                precision=chosen.name,  # type: ignore[arg-type]  # a literal of Fabric's
            )
            fabric.launch()
        except (ImportError, RuntimeError, ValueError) as error:  # what Fabric raises
            wanted = f"{self.devices} {'GPU' if on_gpu else 'CPU'} with strategy {self.strategy!r}"
            reason = str(error).strip().partition("\n")[0].partition(". ")[0]
            raise BackendError(
                f"can't train on {wanted} ({reason})", "use --devices 1 --strategy auto, or ddp"
            ) from error
        return fabric


def prepare_run(
    machine: TrainingMachine | None,
    settings: RunSettings,
    out: Path,
    resume: bool,
    progress: LineReport = lambda _: None,
) -> Fabric:
    """Claim the folder of a run, and return Lightning Fabric, launched on the devices."""
    state.claim_folder(out, resume)
    return (machine or TrainingMachine()).fabric(settings.precision, progress)
