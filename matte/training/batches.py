"""The batches of a run, prepared by worker processes if it has some."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from matte.training.settings import RunSettings
from matte.training.task import Batch, TrainingTask


def iterate_batches(
    task: TrainingTask, rank: int, first_step: int, settings: RunSettings
) -> Iterator[Batch]:
    """Return the batches of all steps from `first_step` on, in their order."""
    loader = DataLoader(
        _StepBatches(task, rank),
        batch_size=None,
        sampler=range(first_step, settings.steps + 1),
        num_workers=settings.workers,
        worker_init_fn=_leave_interrupts,
        generator=torch.Generator(),  # the global one must not be drawn from when a run goes on
    )
    with _signal_handlers_restored():
        return iter(loader)


def _leave_interrupts(worker: int) -> None:
    """Leave Ctrl-C, which a terminal sends to all, to the process that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _signal_handlers_restored() -> Iterator[None]:
    """Undo the signal handler that a loader with workers sets and never removes.

    CPython 3.11 can crash in it when a child ends. Dead workers are found without it, a few seconds
    later.
    """
    name = getattr(signal, "SIGCHLD", None)  # Windows has none
    before = signal.getsignal(name) if name else None
    yield
    if name and threading.current_thread() is threading.main_thread():
        signal.signal(name, before)


class _StepBatches(Dataset[Mapping[str, NDArray[Any]]]):
    """The batches of a run by their steps."""

    def __init__(self, task: TrainingTask, rank: int) -> None:
        self._task, self._rank = task, rank

    def __getitem__(self, step: int) -> Mapping[str, NDArray[Any]]:
        return self._task.batch(step, self._rank)
