"""The loop that trains any network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from matte.errors import InterruptedRunError, SettingError, WeightsError
from matte.runtime.tensors import load_tensors
from tests.training.line_task import SETTINGS, LineTask, train_line


def test_it_learns_and_leaves_what_it_says(tmp_path: Path) -> None:
    rows = train_line(tmp_path, replace(SETTINGS, steps=40))
    assert rows[-1]["validation"]["score"] > 0.5 * rows[0]["validation"]["score"]
    assert [row["step"] for row in rows] == list(range(4, 41, 4))
    networks = {"best.safetensors", "best.onnx", "last.safetensors"}
    names = {*networks, "last.ckpt", "metrics.jsonl", "tensorboard"}
    assert {p.name for p in tmp_path.iterdir()} == names
    assert any((tmp_path / "tensorboard").iterdir())


def test_the_best_is_kept_and_patience_ends_a_run(tmp_path: Path) -> None:
    task = LineTask(scores=iter([0.1, 0.9, 0.5, 0.4, 0.8, 0.7]))
    rows = train_line(tmp_path, replace(SETTINGS, steps=100, patience=3), task=task)
    assert len(rows) == 5
    best, last = (load_tensors(tmp_path / f"{n}.safetensors", "line")[1] for n in ("best", "last"))
    assert (best["step"], last["step"]) == (8, 20)


def test_of_equals_the_newest_is_kept(tmp_path: Path) -> None:
    """As where nothing is validated."""
    task = LineTask(scores=iter([0.0] * 9))
    train_line(tmp_path, replace(SETTINGS, patience=2), task=task)
    assert load_tensors(tmp_path / "best.safetensors", "line")[1]["step"] == 12


def test_a_network_that_gives_no_numbers_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="step 4 gives no numbers"):
        train_line(tmp_path, task=LineTask(scores=iter([float("nan")])))
    assert not (tmp_path / "best.safetensors").exists()


@pytest.mark.filterwarnings("ignore:this processor has no bfloat16")
def test_bfloat16_trains_too(tmp_path: Path) -> None:
    rows = train_line(tmp_path, replace(SETTINGS, precision="bf16-mixed"))
    assert all(np.isfinite(row["validation"]["score"]) for row in rows)


def test_a_run_that_explodes_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="not finite: lower learning_rate"):
        train_line(tmp_path, replace(SETTINGS, learning_rate=1e30))


def test_best_onnx_is_there_after_the_first_validation(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        if line.startswith("step 4 "):
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRunError):
        train_line(tmp_path, progress=stop)
    assert (tmp_path / "best.onnx").read_bytes() == (tmp_path / "best.safetensors").read_bytes()


class NetworkDrawnForExport(LineTask):
    def export(self, checkpoint: Path) -> str:
        torch.rand(3)
        return super().export(checkpoint)


def test_exports_change_nothing_in_what_follows(tmp_path: Path) -> None:
    """Although they draw from the generator that dropout draws from."""
    expected = train_line(tmp_path / "a")
    assert train_line(tmp_path / "b", task=NetworkDrawnForExport()) == expected


class FirstExportFails(LineTask):
    exports = 0

    def export(self, checkpoint: Path) -> str:
        self.exports += 1
        if self.exports == 1:
            raise WeightsError("the exported network differs from torch", "train on")
        return super().export(checkpoint)


def test_an_export_that_fails_is_tried_again_at_the_end(tmp_path: Path) -> None:
    task, lines = FirstExportFails(scores=iter([0.9, 0.1, 0.1])), list[str]()
    assert len(train_line(tmp_path, task=task, progress=lines.append)) == 3
    assert (
        "best.onnx is not written yet: the exported network differs from torch: train on" in lines
    )
    assert task.exports == 2
    assert (tmp_path / "best.onnx").is_file()
