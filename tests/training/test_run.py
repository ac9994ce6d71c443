import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.errors import BackendError, OutputError, SettingError, WeightsError
from matte.runtime.tensors import load_tensors, save_tensors
from matte.training import state
from matte.training.freezing import freeze
from matte.training.run import Machine, RunningAverage, fit, prepare
from matte.training.schedule import Progress, learning_rate
from matte.training.settings import RunSettings

SETTINGS = RunSettings(batch=4, steps=12, validate_every=4, learning_rate=5e-2, average=0.5)


@dataclass(frozen=True)
class Whole:
    run: RunSettings
    data: tuple[str, ...] = ("a",)


@dataclass
class Line:
    """Learns y = 2x + 1 from noisy points, through a norm and dropout: state and chance count."""

    network: nn.Module = field(init=False)
    encoder: nn.Module | None = None
    score: str = "score"
    scores: Iterator[float] | None = None
    settings: Whole = field(default_factory=lambda: Whole(SETTINGS))

    def __post_init__(self) -> None:
        torch.manual_seed(3)
        layers = (nn.Conv2d(1, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.1), nn.Conv2d(4, 1, 1))
        self.network = nn.Sequential(*layers)

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        random = np.random.default_rng([step, rank])
        x = random.random((4, 1, 2, 2), np.float32)
        return {"x": x, "y": 2 * x + 1 + 0.01 * random.standard_normal(x.shape, np.float32)}

    def losses(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"error": (network(batch["x"]) - batch["y"]).square().mean()}

    def validate(self, network: nn.Module) -> dict[str, float]:
        if self.scores is not None:
            return {"score": next(self.scores)}
        batch = {name: torch.from_numpy(v) for name, v in self.batch(0, 0).items()}
        with torch.no_grad():
            return {"score": -float(self.losses(network, batch)["error"])}

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        return np.zeros((4, 4, 3), np.uint8)

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        save_tensors(path, network.state_dict(), "line", {"step": step})


def run(out: Path, settings: RunSettings = SETTINGS, **arguments: Any) -> list[dict[str, Any]]:
    task = arguments.pop("task", None) or Line()
    task.settings = Whole(settings, arguments.pop("data", ("a",)))
    fit(task, out, Machine("cpu").fabric(settings.precision), **arguments)
    rows = [json.loads(row) for row in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: row[key] for key in row if key != "seconds"} for row in rows]


def test_it_learns_and_leaves_what_it_says(tmp_path: Path) -> None:
    rows = run(tmp_path, replace(SETTINGS, steps=40))
    assert rows[-1]["validation"]["score"] > 0.5 * rows[0]["validation"]["score"]
    assert [row["step"] for row in rows] == list(range(4, 41, 4))
    names = {"best.safetensors", "last.ckpt", "last.safetensors", "metrics.jsonl", "tensorboard"}
    assert {p.name for p in tmp_path.iterdir()} == names
    assert any((tmp_path / "tensorboard").iterdir())


def test_an_interrupted_run_goes_on_as_if_unbroken(tmp_path: Path) -> None:
    unbroken = run(tmp_path / "unbroken")
    # The cosine must be the whole run's: interrupted means stopped, not planned shorter.
    torch.manual_seed(99)

    def stop(line: str) -> None:
        if line.startswith("step 8 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", progress=stop)
    torch.manual_seed(7)  # whatever happened in between
    resumed = run(tmp_path / "broken", resume=True)
    assert resumed == unbroken
    whole, parts = (
        load_tensors(tmp_path / name / "last.safetensors", "line")[0]
        for name in ("unbroken", "broken")
    )
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_a_resumed_run_scales_gradients_as_before(tmp_path: Path) -> None:
    """As in 16-mixed on a GPU. The scale doubles after every third step that was finite."""
    settings = replace(SETTINGS, precision="16-mixed", validate_every=2)

    def run_until(last: int, out: Path, resume: bool) -> list[float]:
        scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
        scales: list[float] = []

        def note(line: str) -> None:
            if "%" in line:  # a validation
                scales.append(scaler.get_scale())
            if line.startswith(f"step {last} "):
                raise KeyboardInterrupt

        fabric = Fabric(accelerator="cpu", plugins=MixedPrecision("16-mixed", "cpu", scaler))
        task = Line(settings=Whole(settings))
        with contextlib.suppress(KeyboardInterrupt):
            fit(task, out, fabric, resume=resume, progress=note)
        return scales

    unbroken = run_until(12, tmp_path / "unbroken", resume=False)
    assert unbroken == [8, 16, 32, 32, 64, 128]
    assert run_until(8, tmp_path / "broken", resume=False) == unbroken[:4]
    assert run_until(12, tmp_path / "broken", resume=True) == unbroken[3:]
    whole, parts = (
        load_tensors(tmp_path / name / "last.safetensors", "line")[0]
        for name in ("unbroken", "broken")
    )
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_a_run_of_an_older_version_goes_on(tmp_path: Path) -> None:
    run(tmp_path)
    whole = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert whole.pop("precision") == {}
    torch.save(whole, tmp_path / "last.ckpt")
    assert run(tmp_path, replace(SETTINGS, steps=16), resume=True)[-1]["step"] == 16


def test_only_its_own_recipe_resumes_a_run(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(SettingError, match=r"run.learning_rate = 0.05, not 0.5"):
        run(tmp_path, replace(SETTINGS, learning_rate=0.5), resume=True)
    with pytest.raises(SettingError, match=r"data.1 = None, not b"):
        run(tmp_path, data=("a", "b"), resume=True)
    longer = run(tmp_path, replace(SETTINGS, steps=16), resume=True)
    assert [row["step"] for row in longer] == [4, 8, 12, 16]


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="start without --resume"):
        state.claim(tmp_path, resume=True)
    (tmp_path / "last.ckpt").write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="can't resume"):
        run(tmp_path, resume=True)


def test_a_new_run_replaces_no_network_of_another(tmp_path: Path) -> None:
    prepare(Machine("cpu"), SETTINGS, tmp_path / "new", resume=False)
    (tmp_path / "new/metrics.jsonl").touch()  # all that a run leaves before its first validation
    prepare(Machine("cpu"), SETTINGS, tmp_path / "new", resume=False)
    (tmp_path / "new/best.safetensors").write_bytes(b"weeks of work")
    with pytest.raises(OutputError, match=r"best.safetensors of another run: add --resume"):
        prepare(Machine("cpu"), SETTINGS, tmp_path / "new", resume=False)
    with pytest.raises(OutputError, match="name another folder"):
        state.claim(tmp_path / "new/metrics.jsonl/run", resume=False)


def test_half_a_row_of_a_killed_run_does_not_hinder_its_resumption(tmp_path: Path) -> None:
    unbroken = run(tmp_path)
    rows = tmp_path / "metrics.jsonl"
    rows.write_text(rows.read_text() + '{"step": 16, "sec')
    assert run(tmp_path, resume=True) == unbroken


WITH_AND_WITHOUT = """
import signal, sys
from dataclasses import replace
from pathlib import Path
from tests.training.test_run import SETTINGS, run
folder, settings = Path(sys.argv[1]), replace(SETTINGS, steps=4)
before = signal.getsignal(signal.SIGCHLD)
alone = run(folder / "a", settings)
assert len(alone) == 1, alone
assert alone == run(folder / "b", replace(settings, workers=1))
assert signal.getsignal(signal.SIGCHLD) is before
"""


def test_workers_change_nothing(tmp_path: Path) -> None:
    """In a process of its own: forked from one with all the runtimes' threads, they crash it."""
    words = [sys.executable, "-c", WITH_AND_WITHOUT, str(tmp_path)]
    done = subprocess.run(
        words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_best_is_kept_and_patience_ends_a_run(tmp_path: Path) -> None:
    task = Line(scores=iter([0.1, 0.9, 0.5, 0.4, 0.8, 0.7]))
    rows = run(tmp_path, replace(SETTINGS, steps=100, patience=3), task=task)
    assert len(rows) == 5
    best, last = (load_tensors(tmp_path / f"{n}.safetensors", "line")[1] for n in ("best", "last"))
    assert (best["step"], last["step"]) == (8, 20)


def test_of_equals_the_newest_is_kept(tmp_path: Path) -> None:
    """As where nothing is validated."""
    task = Line(scores=iter([0.0] * 9))
    run(tmp_path, replace(SETTINGS, patience=2), task=task)
    assert load_tensors(tmp_path / "best.safetensors", "line")[1]["step"] == 12


def test_a_network_that_gives_no_numbers_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="step 4 gives no numbers"):
        run(tmp_path, task=Line(scores=iter([float("nan")])))
    assert not (tmp_path / "best.safetensors").exists()


def test_bfloat16_trains_too(tmp_path: Path) -> None:
    rows = run(tmp_path, replace(SETTINGS, precision="bf16-mixed"))
    assert all(np.isfinite(row["validation"]["score"]) for row in rows)


def test_a_run_that_explodes_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="not finite: lower learning_rate"):
        run(tmp_path, replace(SETTINGS, learning_rate=1e30))


def test_frozen_layers_stay(tmp_path: Path) -> None:
    task = Line()
    before = {k: v.clone() for k, v in task.network.state_dict().items()}
    run(tmp_path, replace(SETTINGS, freeze=2), task=task)
    after = task.network.state_dict()
    for name in before:
        assert torch.equal(before[name], after[name]) == name.startswith(("0.", "1."))


def test_too_much_frozen_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="leaves nothing"):
        run(tmp_path, replace(SETTINGS, freeze=3))
    with pytest.raises(SettingError, match="has 3 layers"):
        freeze(Line().network, 4)


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(BackendError, match="toaster"):
        Machine("toaster").fabric("32-true")
    with pytest.raises(BackendError, match="1 CPU with strategy 'dpp'"):
        Machine("cpu", strategy="dpp").fabric("32-true")


def test_float16_does_not_become_something_else_on_a_cpu() -> None:
    with pytest.raises(SettingError, match="16-mixed is for GPUs"):
        Machine("cpu").fabric("16-mixed")


def test_the_average_follows_slowly() -> None:
    network = nn.BatchNorm2d(2)
    average = RunningAverage(network, 0.9)
    with torch.no_grad():
        network.weight.fill_(3)
        network.num_batches_tracked.fill_(7)  # type: ignore[union-attr]  # a tensor
    for step in range(1, 40):
        average.update(network, step)
    mean = average.network.state_dict()
    assert 2.5 < mean["weight"][0] < 3
    assert mean["num_batches_tracked"] == 7


def rates(settings: RunSettings) -> list[float]:
    return [learning_rate(Progress(step), settings) for step in range(settings.steps)]


def test_the_cosine_rises_then_falls() -> None:
    found = rates(RunSettings(steps=100, warm_up=0.1, learning_rate=1.0))
    top = found.index(max(found))
    assert top in (9, 10)
    assert found == sorted(found[:top]) + sorted(found[top:], reverse=True)
    assert found[0] == pytest.approx(0.1)
    assert found[-1] < 0.02


def test_a_plateau_halves_the_rate() -> None:
    settings = RunSettings(schedule="plateau", plateau=2, learning_rate=1.0, warm_up=0)
    progress = Progress()
    seen = []
    for score in (0.5, 0.4, 0.3, 0.6, 0.5, 0.5, 0.5, 0.5):
        progress.scored(score, settings)
        seen.append(learning_rate(progress, settings))
    assert seen == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert set(rates(replace(settings, schedule="constant"))) == {1.0}
