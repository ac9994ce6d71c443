"""The log of a run: lines for people, metrics.jsonl for programs, TensorBoard for curves."""

import json
import math
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from matte.errors import OutputError
from matte.training.collection import LineReport

STEPS_BETWEEN_LINES = 50


class Journal:
    """Writes the log of a run into a folder; a resumed run's goes on after `first_step`.

    `losses`: those of each step since the last validation, by name; `precision`: Fabric's name of
    the numbers that the run calculates with.
    """

    def __init__(
        self,
        out: Path,
        steps: int,
        first_step: int,
        progress: LineReport,
        *,
        precision: str,
        losses: dict[str, list[float]] | None = None,
    ) -> None:
        self._rows = out / "metrics.jsonl"
        self._progress = progress
        self._precision = precision
        self._steps, self._first = steps, first_step
        self.losses = dict(losses or {})
        self._start = time.monotonic()
        try:
            out.mkdir(parents=True, exist_ok=True)
            old = self._rows.read_text(encoding="utf-8").splitlines() if first_step else []
            rows = [row for row in old if _step_of(row) <= first_step]
            self._rows.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
            self._board = SummaryWriter(str(out / "tensorboard"), purge_step=first_step + 1)
        except OSError as error:
            raise OutputError(f"can't write into {out}", str(error.strerror)) from error

    def close(self) -> None:
        """Write what is still in memory."""
        self._board.close()

    def add_step(self, step: int, losses: dict[str, float], rate: float) -> None:
        """Record a step's losses, and report their means now and then."""
        for name, value in losses.items():
            self.losses.setdefault(name, []).append(value)
        done = step - self._first
        if done in (1, 10) or step % STEPS_BETWEEN_LINES == 0:
            each = (time.monotonic() - self._start) / done
            remaining = _duration(each * (self._steps - step))
            recent = {
                name: _mean(values[-STEPS_BETWEEN_LINES:]) for name, values in self.losses.items()
            }
            means = ", ".join(f"{name} {value:.4f}" for name, value in recent.items())
            self._progress(f"step {step}: {means}; {each:.2f} s per step, {remaining} left")
            for name, value in recent.items():
                self._board.add_scalar(f"training/{name}", value, step)
            self._board.add_scalar("training/learning rate", rate, step)

    def add_validation(
        self, step: int, rate: float, metrics: dict[str, float], sheet: NDArray[np.uint8]
    ) -> None:
        """Write a validation's row: its metrics, and a picture (H, W, 3) of what was found."""
        row = {
            "step": step,
            "seconds": round(time.monotonic() - self._start, 1),
            "precision": self._precision,
            "learning_rate": rate,
            "losses": {name: _mean(values) for name, values in self.losses.items()},
            "validation": metrics,
        }
        self.losses.clear()
        with self._rows.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        for name, value in metrics.items():
            self._board.add_scalar(f"validation/{name}", value, step)
        self._board.add_image("validation", sheet, step, dataformats="HWC")
        values = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._progress(f"step {step} ({step / self._steps:.0%}): {values}")


def _step_of(row: str) -> float:
    """Return the step of a row; infinite for half a row, which a run leaves that was killed."""
    try:
        return float(json.loads(row)["step"])
    except (KeyError, TypeError, ValueError):
        return math.inf


def _mean(values: list[float]) -> float:
    """Return the mean of at least one value, summed without rounding errors."""
    return math.fsum(values) / len(values)


def _duration(seconds: float) -> str:
    """Return a duration as words for people: seconds, minutes, or hours and minutes."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
