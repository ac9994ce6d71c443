import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from matte.cli.train import train
from matte.errors import BackendError, SettingError
from matte.runtime.onnx import OnnxSession
from matte.segmentation.network import load_checkpoint
from matte.training.segmenter import Clock, RunningAverage, fit, train_segmenter
from matte.training.settings import SegmenterSettings, read_segmenter_settings


@pytest.fixture
def settings(recipe: Path) -> SegmenterSettings:
    return read_segmenter_settings(recipe)


def losses(out: Path) -> list[float]:
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows]


def test_a_few_steps_learn_the_discs(
    settings: SegmenterSettings, data: Path, tmp_path: Path
) -> None:
    longer = replace(settings, steps=40, validate_every=20)
    best = fit(longer, data, tmp_path / "run")
    curve = losses(tmp_path / "run")
    assert len(curve) == 2
    assert np.isfinite(curve).all()
    assert curve[1] < 0.8 * curve[0]
    network, info = load_checkpoint(best)
    assert (info.architecture, info.size) == ("unet", 64)
    assert info.metrics["iou"] > 0.5
    assert not network.training


def test_same_seed_same_weights(settings: SegmenterSettings, data: Path, tmp_path: Path) -> None:
    settings = replace(settings, steps=2, validate_every=2)
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(replace(settings, seed=seed), data, tmp_path / name)
        weights.append(load_checkpoint(tmp_path / name / "last.safetensors")[0].state_dict())
    a, b, c = weights
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)


def test_the_command_trains_and_exports(recipe: Path, data: Path, tmp_path: Path) -> None:
    discs = tmp_path / "data"
    shutil.copytree(data, discs)
    (discs / "discs/images/broken.png").write_bytes(b"x")
    out = tmp_path / "run"
    arguments = ["segmenter", "--config", recipe, "--data", discs, "--out", out]
    result = CliRunner().invoke(train, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout == f"{out / 'best.safetensors'}\n"
    assert "skipped" in result.stderr
    assert "broken.png" in result.stderr
    assert sorted(p.name for p in out.iterdir()) == [
        "best.onnx",
        "best.safetensors",
        "last.safetensors",
        "metrics.jsonl",
    ]
    assert OnnxSession(out / "best.onnx", 1).metadata()["matte.size"] == "64"


def test_an_unknown_device_is_named(
    settings: SegmenterSettings, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(BackendError, match="toaster"):
        train_segmenter(settings, data, tmp_path / "run", device="toaster")


def test_an_unknown_architecture_is_named(
    settings: SegmenterSettings, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="did you mean 'unet'"):
        train_segmenter(replace(settings, architecture="unett"), data, tmp_path / "run")


def test_sizes_share_the_steps_and_the_rate_falls(settings: SegmenterSettings) -> None:
    longer = replace(settings, sizes=(32, 64, 96), steps=9, warm_up=0.2, learning_rate=1.0)
    clock = Clock(longer)
    seen, rates = [], []
    for step, size in clock.steps():
        seen.append(size)
        rates.append(clock.next_rate())
        assert clock.ends_with(step) == (step == 9)
    assert seen == [32] * 3 + [64] * 3 + [96] * 3
    top = rates.index(max(rates))
    assert rates == sorted(rates[: top + 1]) + sorted(rates[top + 1 :], reverse=True)
    assert rates[-1] < 0.1


def test_minutes_end_a_run(settings: SegmenterSettings) -> None:
    clock = Clock(replace(settings, steps=10**9, minutes=1e-6))
    for step, _ in clock.steps():
        clock.next_rate()
        clock.ends_with(step)
    assert step < 1000


def test_a_run_that_the_clock_ends_validates_once(
    settings: SegmenterSettings, data: Path, tmp_path: Path
) -> None:
    fit(replace(settings, steps=10**6, minutes=1e-6, validate_every=10**6), data, tmp_path / "run")
    assert len((tmp_path / "run/metrics.jsonl").read_text().splitlines()) == 1


def test_the_average_follows_slowly() -> None:
    network = torch.nn.BatchNorm2d(2)
    average = RunningAverage(network, 0.9)
    with torch.no_grad():
        network.weight.fill_(3)
        network.num_batches_tracked.fill_(7)  # type: ignore[union-attr]  # a tensor
    for step in range(1, 40):
        average.update(network, step)
    mean = average.network.state_dict()
    assert 2.5 < mean["weight"][0] < 3
    assert mean["num_batches_tracked"] == 7
