"""Time candidates side by side: each in a process of its own, their runs in turns."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.bench.candidates import AUTO, Candidate
from matte.bench.process_timing import last_line
from matte.configs.fields import as_table
from matte.configs.settings import Config
from matte.errors import BackendError, MatteError
from matte.metrics.timings import TimingSpread, summarise_timings

# The most by which alpha may lie from the first fp32 runtime's, on average. Single pixels may
# differ by more: where the mask's edge moves by one, the band does too.
MAX_MEAN_DIFFERENCE = 1e-3
MAX_ROUNDED_MEAN_DIFFERENCE = 1e-2  # where not all networks calculate in fp32


@dataclass(frozen=True, slots=True)
class LineTiming:
    """The times and the memory of one candidate, its networks loaded, on one picture."""

    name: str
    note: str = ""
    networks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    load_ms: float = 0.0
    first_ms: float = 0.0
    stages: Mapping[str, TimingSpread] = field(default_factory=dict)
    total: TimingSpread | None = None
    peak_mib: float | None = None
    largest: float | None = None  # difference of alpha to the first fp32 runtime's
    mean: float | None = None
    error: str = ""  # why there is nothing, or nothing that counts

    @property
    def fps(self) -> float | None:
        """Pictures a second; None if there is no valid time."""
        return round(1000 / self.total.median, 2) if self.total and not self.error else None

    def as_json(self) -> dict[str, Any]:
        """Return the timing for `matte bench --json`."""
        return {
            "name": self.name,
            "note": self.note,
            "networks": {kind: dict(facts) for kind, facts in self.networks.items()},
            "load_ms": self.load_ms,
            "first_ms": self.first_ms,
            "stages_ms": {name: s.as_json() for name, s in self.stages.items()},
            "total_ms": self.total.as_json() if self.total else None,
            "fps": self.fps,
            "peak_mib": self.peak_mib,
            "difference": {"largest": self.largest, "mean": self.mean},
            "error": self.error,
        }


class WorkerProcess:
    """A candidate's process, which gets requests and sends answers as lines of JSON."""

    def __init__(self, candidate: Candidate, config: Config, picture: Path, place: Path) -> None:
        self.candidate = candidate
        self.alpha = place.with_suffix(".npy")
        self._log_file = place.with_suffix(".log")
        job = {
            "config": as_table(config),
            "runtimes": {kind: as_table(r) for kind, r in candidate.runtimes.items()},
            "picture": str(picture),
            "alpha": str(self.alpha),
        }
        place.write_text(json.dumps(job), encoding="utf-8")
        with self._log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "matte.bench.worker", str(place)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )

    def answer(self) -> dict[str, Any]:
        """Return the worker's next answer; raise the error that it reports instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise BackendError(f"{self.candidate.name} broke down ({self._failure_text()})")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise MatteError(answer["error"])
        return answer

    def run(self) -> dict[str, Any]:
        """Have the worker run once more, and return its times."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # there is no answer then
            self.process.stdin.write("run\n")
            self.process.stdin.flush()
        return self.answer()

    def finish(self) -> dict[str, Any]:
        """Close the worker's input, and return its last answer."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # there is no answer then
            self.process.stdin.close()
        return self.answer()

    def end(self) -> None:
        """Kill the worker, whether it has finished or not."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def _failure_text(self) -> str:
        """Return the exit code and the last line that a worker printed."""
        code = self.process.wait()
        said = self._log_file.read_text(encoding="utf-8", errors="replace")
        return f"exit code {code}: {last_line(said)}"


def time_candidates(
    config: Config,
    candidates: Sequence[Candidate],
    picture: Path,
    runs: int,
    folder: Path,
    step: Callable[[], None],
) -> list[LineTiming]:
    """Return each candidate's times for the picture, warm; `step` is called after each run.

    One that fails, or finds another alpha, has its `error` set and disturbs no other.
    """
    ready: dict[WorkerProcess, dict[str, Any]] = {}
    times: dict[WorkerProcess, list[dict[str, Any]]] = {}
    found: dict[str, LineTiming] = {}
    with ExitStack() as stack:
        for number, candidate in enumerate(candidates):
            worker = WorkerProcess(candidate, config, picture, folder / f"{number}.json")
            stack.callback(worker.end)
            try:
                ready[worker], times[worker] = worker.answer(), []
            except MatteError as error:
                found[candidate.name] = LineTiming(candidate.name, candidate.note, error=str(error))
            step()
        for _ in range(runs):  # in turns, so that a busy moment hits all
            for worker in list(times):
                try:
                    times[worker].append(worker.run())
                except MatteError as error:
                    name = worker.candidate.name
                    found[name] = LineTiming(name, worker.candidate.note, error=str(error))
                    del times[worker]
                step()
        alphas = {}
        for worker, several in times.items():
            name = worker.candidate.name
            try:
                peak = worker.finish()["peak_mib"]
                alphas[name] = np.load(worker.alpha)
                found[name] = _line_timing(worker, ready[worker], several, peak)
            except MatteError as error:
                found[name] = LineTiming(name, worker.candidate.note, error=str(error))
    in_order = [found[candidate.name] for candidate in candidates]
    return compare_alphas(in_order, alphas)


def _line_timing(
    worker: WorkerProcess,
    ready: dict[str, Any],
    several: Sequence[dict[str, Any]],
    peak: float | None,
) -> LineTiming:
    """Return the line's timing with one choice of runtimes, from what its worker measured."""
    return LineTiming(
        worker.candidate.name,
        worker.candidate.note,
        ready["networks"],
        ready["load_ms"],
        ready["first_ms"],
        {name: summarise_timings([run["ms"][name] for run in several]) for name in ready["stages"]},
        summarise_timings([run["total"] for run in several]),
        peak,
    )


def compare_alphas(
    found: Sequence[LineTiming], alphas: Mapping[str, NDArray[np.float32]]
) -> list[LineTiming]:
    """Return the timings with their alpha's difference to the first fp32 candidate's.

    Too large a difference becomes the timing's `error`.
    """
    sound = [warm for warm in found if warm.name in alphas]
    reference = next((warm for warm in _auto_last(sound) if _precisions(warm) == {"fp32"}), None)
    if reference is None:
        return list(found)
    expected = alphas[reference.name]
    results = []
    for warm in found:
        if warm in sound and warm is not reference:
            apart = np.abs(alphas[warm.name] - expected)
            largest, mean = float(apart.max()), float(apart.mean())
            limit = (
                MAX_MEAN_DIFFERENCE
                if _precisions(warm) == {"fp32"}
                else MAX_ROUNDED_MEAN_DIFFERENCE
            )
            # Phrased so that NaN fails.
            wrong = "" if mean <= limit else f"wrong: alpha is {mean:.2g} from {reference.name}'s"
            results.append(replace(warm, largest=largest, mean=mean, error=wrong))
        else:
            results.append(warm)
    return results


def _auto_last(found: Sequence[LineTiming]) -> list[LineTiming]:
    """Return the timings with `auto` behind the candidates that name their runtime."""
    return sorted(found, key=lambda warm: warm.name == AUTO)


def _precisions(warm: LineTiming) -> set[str]:
    """Return the precisions that a candidate's networks ran in."""
    return {facts["precision"] for facts in warm.networks.values()}
