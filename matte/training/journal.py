"""The log of a run: lines for people, metrics.jsonl for programs, TensorBoard for curves."""

import json
import math
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from matte.errors import OutputError
from matte.training.collection import Progress

EVERY = 50  # steps between lines


class Journal:
    """Opens the log of a run in a folder; a resumed run's goes on after `step`."""

    def __init__(self, out: Path, steps: int, step: int, progress: Progress) -> None:
        self._rows = out / "metrics.jsonl"
        self._progress = progress
        self._steps, self._first = steps, step
        self._losses: dict[str, list[float]] = {}
        self._start = time.monotonic()
        try:
            out.mkdir(parents=True, exist_ok=True)
            old = self._rows.read_text(encoding="utf-8").splitlines() if step else []
            kept = [row for row in old if _step(row) <= step]
            self._rows.write_text("".join(f"{row}\n" for row in kept), encoding="utf-8")
            self._board = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)
        except OSError as error:
            raise OutputError(f"can't write into {out}", str(error.strerror)) from error

    def close(self) -> None:
        """Writes what is still in memory."""
        self._board.close()

    def note(self, step: int, losses: dict[str, float], rate: float) -> None:
        """Keeps a step's losses; says so now and then."""
        for name, value in losses.items():
            self._losses.setdefault(name, []).append(value)
        done = step - self._first
        if done in (1, 10) or step % EVERY == 0:
            each = (time.monotonic() - self._start) / done
            left = each * (self._steps - step)
            recent = {name: _mean(values[-EVERY:]) for name, values in self._losses.items()}
            told = ", ".join(f"{name} {value:.4f}" for name, value in recent.items())
            self._progress(f"step {step}: {told}; {each:.2f} s per step, {_duration(left)} left")
            for name, value in recent.items():
                self._board.add_scalar(f"training/{name}", value, step)
            self._board.add_scalar("training/learning rate", rate, step)

    def report(
        self, step: int, rate: float, metrics: dict[str, float], sheet: NDArray[np.uint8]
    ) -> None:
        """Writes a validation down: its metrics, and a picture (H, W, 3) of what was found."""
        row = {
            "step": step,
            "seconds": round(time.monotonic() - self._start, 1),
            "learning_rate": rate,
            "losses": {name: _mean(values) for name, values in self._losses.items()},
            "validation": metrics,
        }
        self._losses.clear()
        with self._rows.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        for name, value in metrics.items():
            self._board.add_scalar(f"validation/{name}", value, step)
        self._board.add_image("validation", sheet, step, dataformats="HWC")
        told = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._progress(f"step {step} ({step / self._steps:.0%}): {told}")


def _step(row: str) -> float:
    """The step of a row; infinite for half a row, which a run leaves that was killed."""
    try:
        return float(json.loads(row)["step"])
    except (KeyError, TypeError, ValueError):
        return math.inf


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
