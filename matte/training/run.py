"""The loop that trains any network, on a CPU or on GPUs."""

import copy
import logging
import math
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from matte.errors import BackendError, SettingError
from matte.training import state
from matte.training.collection import Progress
from matte.training.depthwise import spare_bfloat16
from matte.training.freezing import freeze
from matte.training.journal import Journal
from matte.training.schedule import Progress as Stand
from matte.training.schedule import learning_rate
from matte.training.settings import RunSettings

Batch = dict[str, Tensor]
UNJUDGED = "nothing to validate on: the last network is kept as the best"


class Task(Protocol):
    """What is trained: a network, its samples, what it is told to minimise, how it is judged."""

    @property
    def settings(self) -> Any:
        """The whole recipe, a dataclass with the run's settings as `run`."""
        ...

    @property
    def network(self) -> nn.Module:
        """The network, with the weights that training starts from."""
        ...

    @property
    def encoder(self) -> nn.Module | None:
        """The part of the network that learns at the encoder's rate."""
        ...

    @property
    def score(self) -> str:
        """The validation's metric that is to be high."""
        ...

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        """The samples of a step on the device of that rank, a function of the two and the seed."""
        ...

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """What is minimised: the sum of these."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """The metrics of a network in evaluation mode."""
        ...

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """A picture (H, W, 3) of what a network in evaluation mode finds."""
        ...

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        """Writes the network so that it can be used."""
        ...


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run takes place: `device` "auto", "cpu" or "cuda", how many of it, and how Fabric
    spreads the work over them.
    """

    device: str = "auto"
    devices: int = 1
    strategy: str = "auto"

    def fabric(self, precision: str) -> Fabric:
        """The machine, ready for that precision of `RunSettings`."""
        if self.device == "cuda" and not torch.cuda.is_available():
            raise BackendError("no device 'cuda' for torch", "use --device auto or cpu")
        if self.device not in ("auto", "cpu", "cuda"):
            raise BackendError(f"no device {self.device!r}", "use --device auto, cpu or cuda")
        on_gpu = self.device == "cuda" or (self.device == "auto" and torch.cuda.is_available())
        if precision == "16-mixed" and not on_gpu:
            raise SettingError("precision = 16-mixed is for GPUs", "use bf16-mixed or 32-true")
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # what it tells was asked
        try:
            fabric = Fabric(
                accelerator="cuda" if on_gpu else "cpu",
                devices=self.devices,
                strategy=self.strategy,
                precision=precision,  # type: ignore[arg-type]  # a literal of Fabric's
            )
            fabric.launch()
        except (ImportError, RuntimeError, ValueError) as error:  # what Fabric raises
            wanted = f"{self.devices} {'GPU' if on_gpu else 'CPU'} with strategy {self.strategy!r}"
            reason = str(error).strip().partition("\n")[0].partition(". ")[0]
            raise BackendError(
                f"can't train on {wanted} ({reason})", "use --devices 1 --strategy auto, or ddp"
            ) from error
        return fabric


def prepare(machine: Machine | None, settings: RunSettings, out: Path, resume: bool) -> Fabric:
    """The machine, ready, and `out` there; raises if the run can't take place in that folder."""
    state.claim(out, resume)
    return (machine or Machine()).fabric(settings.precision)


def fit(
    task: Task,
    out: Path,
    fabric: Fabric,
    *,
    resume: bool = False,
    progress: Progress = lambda _: None,
) -> Path:
    """The path of the best checkpoint, out/best.safetensors.

    Writes also out/last.safetensors, out/last.ckpt to resume from, out/metrics.jsonl and
    out/tensorboard. Resumed, a run goes on after its last validation as if never interrupted.
    """
    settings: RunSettings = task.settings.run
    recipe = state.flat(task.settings)
    torch.manual_seed(settings.seed)
    frozen = freeze(task.network, settings.freeze)
    if fabric.device.type == "cpu" and settings.precision == "bf16-mixed":
        spare_bfloat16(task.network)
    average = RunningAverage(task.network, settings.average).to(fabric.device)
    # Channels last is how processors with matrix units want convolutions.
    module = task.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub lacks it
    network, optimiser = fabric.setup(module, _optimiser(task, settings))
    precision = fabric.strategy.precision
    stand = Stand()
    if resume:
        stand = state.load(out, recipe, module, average, optimiser, precision)
    leading = fabric.is_global_zero
    journal = Journal(out, settings.steps, stand.step, progress) if leading else None
    loader = DataLoader(
        _Steps(task, fabric.global_rank),
        batch_size=None,
        sampler=range(stand.step + 1, settings.steps + 1),
        num_workers=settings.workers,
        generator=torch.Generator(),  # the global one must not be drawn from when a run goes on
    )
    with _signals_kept():
        batches = iter(loader)
    try:
        while not stand.ended(settings):
            batch = fabric.to_device(next(batches))
            rate = learning_rate(stand, settings)
            for group in optimiser.param_groups:
                group["lr"] = rate * group["part"]
            module.train()
            for part in frozen:
                part.eval()
            losses = task.losses(network, batch)
            optimiser.zero_grad()
            fabric.backward(torch.stack(list(losses.values())).sum())
            norm = fabric.clip_gradients(
                network, optimiser, max_norm=settings.clip, error_if_nonfinite=False
            )
            # In 16-mixed some overflow, and its scaler drops those steps.
            if not (settings.precision == "16-mixed" or (norm is not None and norm.isfinite())):
                raise SettingError(
                    f"the gradients of step {stand.step + 1} are not finite", "lower learning_rate"
                )
            optimiser.step()
            stand.step += 1
            average.update(module, stand.step)
            if journal:
                journal.note(stand.step, {k: float(v.detach()) for k, v in losses.items()}, rate)
            if stand.step % settings.validate_every and stand.step < settings.steps:
                continue
            metrics = fabric.broadcast(task.validate(average.network) if leading else {})
            if not math.isfinite(metrics[task.score]):
                raise SettingError(
                    f"the network of step {stand.step} gives no numbers", "lower learning_rate"
                )
            best = stand.scored(metrics[task.score], settings)
            if journal:
                task.save(average.network, out / "last.safetensors", stand.step, metrics)
                if best:
                    task.save(average.network, out / "best.safetensors", stand.step, metrics)
                # Last, so that a run killed before goes on from the validation before.
                journal.report(stand.step, rate, metrics, task.sheet(average.network))
                state.save(out, recipe, stand, module, average, optimiser, precision)
    finally:
        if journal:
            journal.close()
    progress(f"best {task.score} {stand.best:.4f}")
    return out / "best.safetensors"


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Takes back the handler that a loader with workers sets and never removes: CPython 3.11 can
    crash in it when a child ends. Dead workers are found without it, a few seconds later.
    """
    name = getattr(signal, "SIGCHLD", None)  # Windows has none
    before = signal.getsignal(name) if name else None
    yield
    if name and threading.current_thread() is threading.main_thread():
        signal.signal(name, before)


class RunningAverage(nn.Module):
    """A copy of a network whose weights are a running mean of the trained ones'."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Draws the mean nearer to the network, faster in the first steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, new in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - decay)
            else:
                mean.copy_(new)


class _Steps(Dataset[Mapping[str, NDArray[Any]]]):
    """The batches of a run by their steps."""

    def __init__(self, task: Task, rank: int) -> None:
        self._task, self._rank = task, rank

    def __getitem__(self, step: int) -> Mapping[str, NDArray[Any]]:
        return self._task.batch(step, self._rank)


def _optimiser(task: Task, settings: RunSettings) -> torch.optim.Optimizer:
    """AdamW; norms and biases don't decay, the encoder learns at its part of the rate."""
    encoder = {id(p) for p in task.encoder.parameters()} if task.encoder is not None else set()
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in task.network.parameters():
        if parameter.requires_grad:
            groups.setdefault((id(parameter) in encoder, parameter.ndim > 1), []).append(parameter)
    if not groups:
        raise SettingError(f"freeze = {settings.freeze} leaves nothing to train", "freeze less")
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "part": settings.encoder_rate if inside else 1.0,
                "weight_decay": settings.weight_decay if weight else 0.0,
            }
            for (inside, weight), parameters in groups.items()
        ],
        lr=settings.learning_rate,
        betas=(settings.momentum, 0.999),
    )
