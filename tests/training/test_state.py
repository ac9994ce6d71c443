"""Runs that are interrupted and go on."""

import contextlib
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from numpy.typing import NDArray

from matte.errors import InterruptedRunError, OutputError, SettingError, WeightsError
from matte.runtime.tensors import load_tensors
from matte.training.machine import TrainingMachine, prepare_run
from matte.training.run import train_network
from matte.training.state import claim_folder
from tests.training.line_task import SETTINGS, LineRecipe, LineTask, train_line


def test_an_interrupted_run_goes_on_as_if_unbroken(tmp_path: Path) -> None:
    unbroken = train_line(tmp_path / "unbroken")
    # The cosine must be the whole run's: interrupted means stopped, not planned shorter.
    torch.manual_seed(99)

    def stop(line: str) -> None:
        if line.startswith("step 8 "):
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError, match=r"interrupted in step 9 of 12: go on with --res"):
        train_line(tmp_path / "broken", progress=stop)
    torch.manual_seed(7)  # whatever happened in between
    resumed = train_line(tmp_path / "broken", resume=True)
    assert resumed == unbroken
    whole, parts = (
        load_tensors(tmp_path / name / "last.safetensors", "line")[0]
        for name in ("unbroken", "broken")
    )
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_ctrl_c_saves_the_step_that_it_waits_for(tmp_path: Path) -> None:
    settings = replace(SETTINGS, validate_every=6)
    unbroken = train_line(tmp_path / "unbroken", settings)

    def press(line: str) -> None:
        if line.startswith("step 10: "):
            signal.raise_signal(signal.SIGINT)

    said = r"interrupted after step 10 of 12, which .*broken keeps: go on with --resume"
    with pytest.raises(InterruptedRunError, match=said):
        train_line(tmp_path / "broken", settings, progress=press)
    steps: list[str] = []
    resumed = train_line(tmp_path / "broken", settings, resume=True, progress=steps.append)
    assert steps[0].startswith("step 11: ")
    assert resumed == unbroken


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
        task = LineTask(settings=LineRecipe(settings))
        with contextlib.suppress(InterruptedRunError):
            train_network(task, out, fabric, resume=resume, progress=note)
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
    train_line(tmp_path)
    whole = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert whole.pop("precision") == {}
    torch.save(whole, tmp_path / "last.ckpt")
    assert train_line(tmp_path, replace(SETTINGS, steps=16), resume=True)[-1]["step"] == 16


def test_only_its_own_recipe_resumes_a_run(tmp_path: Path) -> None:
    train_line(tmp_path)
    with pytest.raises(SettingError, match=r"run.learning_rate = 0.05, not 0.5"):
        train_line(tmp_path, replace(SETTINGS, learning_rate=0.5), resume=True)
    with pytest.raises(SettingError, match=r"data.1 = None, not b"):
        train_line(tmp_path, data=("a", "b"), resume=True)
    longer = train_line(tmp_path, replace(SETTINGS, steps=16), resume=True)
    assert [row["step"] for row in longer] == [4, 8, 12, 16]


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="start without --resume"):
        claim_folder(tmp_path, resume=True)
    (tmp_path / "last.ckpt").write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="can't resume"):
        train_line(tmp_path, resume=True)


def test_a_new_run_replaces_no_network_of_another(tmp_path: Path) -> None:
    prepare_run(TrainingMachine("cpu"), SETTINGS, tmp_path / "new", resume=False)
    (tmp_path / "new/metrics.jsonl").touch()  # all that a run leaves before its first validation
    prepare_run(TrainingMachine("cpu"), SETTINGS, tmp_path / "new", resume=False)
    (tmp_path / "new/best.safetensors").write_bytes(b"weeks of work")
    with pytest.raises(OutputError, match=r"best.safetensors of another run: add --resume"):
        prepare_run(TrainingMachine("cpu"), SETTINGS, tmp_path / "new", resume=False)
    with pytest.raises(OutputError, match="name another folder"):
        claim_folder(tmp_path / "new/metrics.jsonl/run", resume=False)


def test_a_run_that_is_killed_between_validations_goes_on_from_there(tmp_path: Path) -> None:
    """Saved after every step; the losses of the interrupted stretch count as in one go."""
    settings = replace(SETTINGS, save_minutes=0.0)
    unbroken = train_line(tmp_path / "unbroken")
    torch.manual_seed(99)
    steps = list[int]()

    class Killed(LineTask):
        def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
            if step:  # 0 is what is validated on
                steps.append(step)
            if steps == [1, 2, 3, 4, 5, 6, 7]:
                raise KeyboardInterrupt
            return super().batch(step, rank)

    with pytest.raises(InterruptedRunError):
        train_line(tmp_path / "broken", settings, task=Killed())
    steps.clear()
    assert train_line(tmp_path / "broken", settings, task=Killed(), resume=True) == unbroken
    assert steps == [7, 8, 9, 10, 11, 12]
