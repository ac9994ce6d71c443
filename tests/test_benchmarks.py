"""The scripts that measure what no test can, walked on a small scale."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from matte.runtime.gpus import nvidia_gpus
from tests.media.clips import clip

SCRIPTS = Path(__file__).parents[1] / "benchmarks"
TORCH = ("torch fp32", "torch bf16")


def run(script: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *words]
    environment = {**os.environ, "MATTE_HOME": str(home)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_gpus_script_walks_everything_without_one(tmp_path: Path) -> None:
    file = tmp_path / "gpu.json"
    words = ("--ways", "bf16", "onnx", "tensorrt", "compile", "graphs")
    done = run("gpu.py", tmp_path, "--dry-run", "--json", str(file), *words)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(file.read_text())
    assert told["device"] == "cpu"
    assert told["machine"]["versions"]["torch"]
    assert told["machine"]["gpus"] == list(nvidia_gpus())
    assert told["targets"] == {}, "tiny frames reach nothing"
    rows = told["rows"]
    assert {row["stage"] for row in rows} == {"segmenter", "refiner", "modnet", "path"}
    assert {row["batch"] for row in rows} == {1, 2}
    for row in rows:
        assert {"what", "stage", "way", "size", "batch"} <= set(row)
        if "skipped" in row:
            assert row["way"] not in TORCH, row
            assert not row["skipped"].startswith("failed"), row
        else:
            assert row["agrees"], row
            assert row["within"] or "fp32" not in row["way"], row
            assert row["ms"]["runs"] >= 1
            assert row["fps"] > 0
    assert {row["way"] for row in rows if "skipped" not in row} >= {*TORCH, "onnx fp32"}
    assert any("is not installed" in row.get("skipped", "") for row in rows) or nvidia_gpus()


@pytest.mark.skipif(bool(nvidia_gpus()), reason="there is a GPU")
def test_the_gpus_script_says_that_there_is_none(tmp_path: Path) -> None:
    done = run("gpu.py", tmp_path)
    assert done.returncode == 1
    assert "There is no GPU that torch can use here: try --dry-run." in done.stderr
    assert not (SCRIPTS / "results" / "gpu.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_does_not_grow(tmp_path: Path) -> None:
    words = ("--side", "256", "--pictures", "40", "--warm-up", "20", "--preset", "fast", "--json")
    done = run("growth.py", tmp_path, *words, str(tmp_path / "growth.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "growth.json").read_text())
    # 0 to 0.5 MiB measured. A leak of one picture each time would be 40 × 0.19 MiB in 8 bits, and
    # 40 × 0.75 MiB in what networks are given; 40 × 0.5 MiB measure 20.5.
    assert told["growth_mib"] <= 5, done.stdout
    assert told["pictures"] == 40


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_videos_script_checks_what_it_times(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", sound="stereo")
    file = tmp_path / "video.json"
    words = ("--runs", "1", "--photos", "3", "--long", str(source), "--json", str(file))
    done = run("video.py", tmp_path, str(source), *words)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(file.read_text())
    row = told["clips"]["in.mp4"]
    assert set(row["ms"]) == {"yuv", "reader", "fast", "balanced", "photos"}
    assert {"fast / yuv", "fast / reader", "photos / balanced"} <= set(row["ratios"])
    assert told["long"]["peak"] > 50
