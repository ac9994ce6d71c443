"""The loop that trains any network, on a CPU or on GPUs."""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from lightning_fabric import Fabric

from matte.errors import InterruptedRunError, MatteError, SettingError
from matte.interrupts import deferred_interrupts
from matte.system_calls import freed_memory_kept
from matte.training.average import RunningAverage
from matte.training.batches import iterate_batches
from matte.training.collection import LineReport
from matte.training.depthwise import keep_depthwise_in_float32
from matte.training.freezing import batch_norms, freeze_layers
from matte.training.journal import Journal
from matte.training.optimiser import build_optimiser, set_learning_rate
from matte.training.schedule import learning_rate
from matte.training.settings import RunSettings
from matte.training.state import FILE as STATE_FILE
from matte.training.state import RunState, flatten_recipe
from matte.training.task import Batch, TrainingTask

RESUME_REMEDY = "go on with --resume"


def train_network(
    task: TrainingTask,
    out: Path,
    fabric: Fabric,
    *,
    resume: bool = False,
    progress: LineReport = lambda _: None,
) -> Path:
    """Train a task's network and return the path of the best checkpoint, out/best.safetensors.

    Writes also out/best.onnx, out/last.safetensors, out/metrics.jsonl, out/tensorboard, and the
    state that `resume` goes on from, out/last.ckpt: after each validation and every
    `RunSettings.save_minutes`. Resumed, a run goes on as if it had never been interrupted. Ctrl-C
    saves the state after the step that is running, and raises InterruptedRunError; a second one
    ends it at once.
    """
    run = TrainingRun(task, out, fabric, progress)
    if resume:
        run.state.restore(out)
    # Of several processes, each would end after another step, and the others wait for it.
    alone = fabric.world_size == 1
    with (
        freed_memory_kept(),
        deferred_interrupts() if alone else nullcontext(lambda: None) as check,
    ):
        try:
            run.train_to_end(check)
        except KeyboardInterrupt:
            raise run.stop() from None
    progress(f"best {task.score} {run.state.progress.best:.4f}")
    return run.best


class TrainingRun:
    """One training: a task's network with optimiser and running average, and the run's folder."""

    def __init__(self, task: TrainingTask, out: Path, fabric: Fabric, progress: LineReport) -> None:
        self.task, self.out, self.fabric, self.progress = task, out, fabric, progress
        self.best = out / "best.safetensors"
        settings: RunSettings = task.settings.run
        self.settings = settings
        torch.manual_seed(settings.seed)
        self._in_evaluation = freeze_layers(task.network, settings.freeze)
        if settings.norms == "fixed":
            self._in_evaluation += batch_norms(task.network)
        scaling = fabric.strategy.precision
        if fabric.device.type == "cpu" and scaling.precision == "bf16-mixed":
            keep_depthwise_in_float32(task.network)
        average = RunningAverage(task.network, settings.average).to(fabric.device)
        # Channels last is how processors with matrix units want convolutions.
        module = task.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub lacks it
        self._network, optimiser = fabric.setup(
            module, build_optimiser(task.network, task.encoder, settings)
        )
        self._average, self._is_between_steps = average, False
        self._module = module
        recipe = flatten_recipe(task.settings)
        self.state = RunState(recipe, module, average, optimiser, scaling)

    def train_to_end(self, check: Callable[[], None] = lambda: None) -> None:
        """Take all steps that remain, validating and saving in between.

        `check` is called before each step, and may end the run by raising KeyboardInterrupt.
        """
        state, settings = self.state, self.settings
        first = state.progress.step
        journal = self._open_journal() if self.fabric.is_global_zero else None
        batches = iterate_batches(self.task, self.fabric.global_rank, first + 1, settings)
        saved = time.monotonic()
        try:
            while not state.progress.is_finished(settings):
                self._is_between_steps = True
                check()
                self._is_between_steps = False
                rate = learning_rate(state.progress, settings)
                losses = self._take_step(self.fabric.to_device(next(batches)), rate)
                step = state.progress.step
                if journal:
                    journal.add_step(step, losses, rate)
                if step % settings.validate_every == 0 or step >= settings.steps:
                    self._validate(journal, rate)
                    saved = time.monotonic()
                elif journal and time.monotonic() - saved >= 60 * settings.save_minutes:
                    state.save(self.out)
                    saved = time.monotonic()
        finally:
            if journal:
                journal.close()
        if journal and not self.best.with_suffix(".onnx").is_file():
            self.progress(self.task.export(self.best))

    def stop(self) -> InterruptedRunError:
        """Save the state of an interrupted run if it can be; return the error that says so."""
        step, remedy = self.state.progress.step, "begin again"
        if step and self._is_between_steps:
            self.state.save(self.out)
            return InterruptedRunError(
                f"interrupted after step {step} of {self.settings.steps}, which {self.out} keeps",
                RESUME_REMEDY,
            )
        if (self.out / STATE_FILE).is_file():
            remedy = RESUME_REMEDY
        return InterruptedRunError(
            f"interrupted in step {step + 1} of {self.settings.steps}", remedy
        )

    def _open_journal(self) -> Journal:
        """Open the run's journal at the step reached so far, with an interrupted run's losses."""
        journal = Journal(
            self.out,
            self.settings.steps,
            self.state.progress.step,
            self.progress,
            precision=self.state.precision.precision,
            losses=self.state.losses,
        )
        self.state.losses = journal.losses
        return journal

    def _take_step(self, batch: Batch, rate: float) -> dict[str, float]:
        """Move the weights along one batch's gradients and return its losses."""
        optimiser, progress = self.state.optimiser, self.state.progress
        set_learning_rate(optimiser, rate)
        self._module.train()
        for layer in self._in_evaluation:
            layer.eval()
        losses = self.task.losses(self._network, batch)
        optimiser.zero_grad()
        self.fabric.backward(torch.stack(list(losses.values())).sum())
        norm = self.fabric.clip_gradients(
            self._network, optimiser, max_norm=self.settings.clip, error_if_nonfinite=False
        )
        # In 16-mixed some overflow, and its scaler drops those steps.
        overflows = self.state.precision.precision == "16-mixed"
        if not (overflows or (norm is not None and norm.isfinite())):
            raise SettingError(
                f"the gradients of step {progress.step + 1} are not finite", "lower learning_rate"
            )
        optimiser.step()
        progress.step += 1
        self._average.update(self._module, progress.step)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _validate(self, journal: Journal | None, rate: float) -> None:
        """Validate the running average, and save it with the state of the run."""
        task, step = self.task, self.state.progress.step
        network = self._average.network
        metrics = self.fabric.broadcast(task.validate(network) if journal else {})
        if not math.isfinite(metrics[task.score]):
            raise SettingError(
                f"the network of step {step} gives no numbers", "lower learning_rate"
            )
        is_best = self.state.progress.record_score(metrics[task.score], self.settings)
        if journal:
            task.save(network, self.out / "last.safetensors", step, metrics)
            if is_best:
                task.save(network, self.best, step, metrics)
                self._export_best()
            # Last, so that a run killed before goes on from the state before.
            journal.add_validation(step, rate, metrics, task.sheet(network))
            self.state.save(self.out)

    def _export_best(self) -> None:
        """Write best.onnx; if that fails there is none, and it is tried again when the run ends."""
        with torch.random.fork_rng(devices=[]):  # else the steps that follow would be others
            try:
                self.progress(self.task.export(self.best))
            except MatteError as error:
                self.progress(f"best.onnx is not written yet: {error}")
                self.best.with_suffix(".onnx").unlink(missing_ok=True)
