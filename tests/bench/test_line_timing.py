import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.arrays import Alpha
from matte.bench.candidates import Candidate, find_candidates, networks_of_line
from matte.bench.line_timing import LineTiming, WorkerProcess, compare_alphas, time_candidates
from matte.configs.loader import merge_settings
from matte.configs.settings import Config, RuntimeSettings, SegmentationSettings
from matte.errors import BackendError
from matte.metrics.timings import summarise_timings
from tests.conftest import SAMPLE, save

EXACT = {"threads": 1, "precision": "fp32"}
QUICK = merge_settings(flags={"segmenter": "person-light", "refiner": "guided", **EXACT}).config


def field(config: Config, *runtimes: str) -> list[Candidate]:
    return find_candidates(networks_of_line(config), config.runtime, runtimes)


def ran(name: str, precision: str = "fp32") -> LineTiming:
    return LineTiming(
        name,
        networks={"segmenter": {"precision": precision}},
        total=summarise_timings([20.0, 10.0]),
    )


def test_each_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    steps: list[None] = []
    found = time_candidates(
        QUICK, field(QUICK, "openvino", "onnx"), SAMPLE, 2, tmp_path, lambda: steps.append(None)
    )
    assert [warm.name for warm in found] == ["openvino cpu fp32", "onnx cpu fp32"]
    assert len(steps) == 2 * 3
    for warm in found:
        assert warm.error == ""
        assert warm.total is not None
        assert list(warm.stages) == ["segment", "trimap", "refine", "foreground"]
        stages = sum(stage.median for stage in warm.stages.values())
        assert stages < 1.5 * warm.total.median
        assert warm.fps == pytest.approx(1000 / warm.total.median, abs=0.01)
        assert warm.peak_mib is not None
        assert 50 < warm.peak_mib < 2000
        assert warm.networks["segmenter"]["name"] == "person-light"
    assert found[0].mean is None  # the others are compared with it
    assert found[1].mean is not None
    assert found[1].mean < 1e-4


def test_who_can_not_run_is_told_and_disturbs_no_other(tmp_path: Path) -> None:
    unable = RuntimeSettings(backend="openvino", device="gpu:99")
    both = [Candidate("unable", {"segmenter": unable}), *field(QUICK, "openvino")[:1]]
    bad, good = time_candidates(QUICK, both, SAMPLE, 1, tmp_path, lambda: None)
    assert "gpu:99" in bad.error
    assert (bad.total, bad.fps) == (None, None)
    assert good.total is not None


def test_who_fails_at_the_end_is_told_and_disturbs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = WorkerProcess.finish

    def end_early(worker: WorkerProcess) -> dict[str, Any]:
        if worker.candidate.name.startswith("openvino"):
            os.kill(worker.process.pid, signal.SIGKILL)
        return finish(worker)

    monkeypatch.setattr(WorkerProcess, "finish", end_early)
    both = field(QUICK, "openvino", "onnx")
    bad, good = time_candidates(QUICK, both, SAMPLE, 1, tmp_path, lambda: None)
    assert "broke down (exit code -9" in bad.error
    assert bad.total is None
    assert good.total is not None
    assert good.error == ""


def test_a_picture_of_nobody_is_no_measure(tmp_path: Path) -> None:
    grey = save(tmp_path / "grey.png", np.full((64, 64, 3), 128, np.uint8))
    config = replace(QUICK, segmentation=SegmentationSettings(segmenter="person"))
    (warm,) = time_candidates(config, field(config, "onnx"), grey, 1, tmp_path, lambda: None)
    assert warm.error == "no subject is found in the picture: give another one"


def test_a_modnet_is_measured_too(tmp_path: Path) -> None:
    config = merge_settings(flags={"modnet": "modnet", **EXACT}).config
    (warm,) = time_candidates(config, field(config, "onnx"), SAMPLE, 1, tmp_path, lambda: None)
    assert list(warm.stages) == ["matte", "foreground"]


def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    worker = WorkerProcess(field(QUICK, "onnx")[0], QUICK, SAMPLE, tmp_path / "job.json")
    try:
        worker.answer()
        os.kill(worker.process.pid, signal.SIGKILL)
        with pytest.raises(BackendError, match="onnx cpu fp32 broke down"):
            worker.run()
    finally:
        worker.end()


@pytest.mark.parametrize("apart", [0.05, math.nan])
def test_who_finds_another_alpha_is_not_ranked(apart: float) -> None:
    found = [ran("auto"), ran("a"), ran("b"), ran("c", "bf16")]
    zeros = Alpha(np.zeros((4, 4), np.float32))
    alphas = {"auto": zeros, "a": zeros, "b": Alpha(zeros + np.float32(apart)), "c": zeros}
    auto, first, other, rounded = compare_alphas(found, alphas)
    assert other.error.startswith("wrong: alpha is ")
    assert other.error.endswith("from a's")
    assert other.fps is None
    assert first.mean is None
    assert (auto.mean, rounded.mean) == (0, 0)
    assert rounded.fps == pytest.approx(1000 / 15, abs=0.01)


def test_rounding_may_take_alpha_farther() -> None:
    zeros = Alpha(np.zeros((4, 4), np.float32))
    near = Alpha(zeros + np.float32(5e-3))
    alphas = {"a": zeros, "b": near, "c": near}
    _, plain, rounded = compare_alphas([ran("a"), ran("b"), ran("c", "int8")], alphas)
    assert plain.error
    assert not rounded.error


def test_without_fp32_nothing_is_compared() -> None:
    alone = replace(ran("a", "bf16"), error="")
    assert compare_alphas([alone], {"a": Alpha(np.zeros((4, 4), np.float32))}) == [alone]
