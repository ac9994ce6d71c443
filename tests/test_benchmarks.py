"""The scripts that measure what no test can, walked on a small scale."""

import importlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from matte.cli.sweep import SAMPLE
from matte.runtime.gpus import nvidia_gpus
from tests.media.clips import clip
from tests.stores.s3_server import KEY, S3Server

SCRIPTS = Path(__file__).parents[1] / "benchmarks"
TORCH = ("torch fp32", "torch bf16")


def run(script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports a script by its name."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module


@pytest.fixture
def run_gpu(scripts: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs gpu.py in this process: its imports take longer than its work."""

    def run_here(*words: str | Path) -> None:
        monkeypatch.setattr(sys, "argv", ["gpu.py", *map(str, words)])
        scripts("gpu").main()

    return run_here


@pytest.mark.benchmarks
def test_the_clips_of_a_gpu_are_walked_without_one(tmp_path: Path) -> None:
    file = tmp_path / "clips.json"
    assert run("gpu_clips.py", "--dry-run", "--presets", "fast", "--json", file).returncode == 0
    (row,) = json.loads(file.read_text())["rows"]
    assert row["frames on"]["device"] == "cpu"
    assert row["parity"]["mean"] <= 1e-3
    assert row["tensors fps"] > 0
    assert {"upload", "segment", "refine", "download", "composite", "encode"} <= set(row["steps"])


@pytest.mark.benchmarks
def test_a_bundle_for_a_gpu_runs_where_it_is_unpacked(tmp_path: Path) -> None:
    bundle, folder = tmp_path / "bundle.tar.gz", tmp_path / "there"
    assert run("gpu_bundle.py", bundle).returncode == 0
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")
    wheels = (folder / "wheels.txt").read_text().split()
    assert {"numpy", "pytest", "timm"} <= {each.split("==")[0] for each in wheels}
    assert not any(each.startswith("torch==") for each in wheels)
    words = ["benchmarks/gpu_clips.py", "--dry-run", "--presets", "fast", "balanced", "best"]
    walked = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert walked.returncode == 0, walked.stderr
    assert "skipped" not in walked.stdout


@pytest.mark.benchmarks
def test_alpha_before_a_screen_is_scored(tmp_path: Path) -> None:
    folder = tmp_path / "matting_fg_rgba" / "davidg200"
    folder.mkdir(parents=True)
    for number in range(4):
        cutout = np.full((200, 90, 4), 180, np.uint8)
        cutout[:, :, 3] = 0
        cutout[20:180, 20:70, 3] = 255
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", cutout)[1].tobytes())
    file = tmp_path / "screen.json"
    assert run("screen.py", tmp_path, "--preset", "fast", "--json", file).returncode == 0
    (row,) = json.loads(file.read_text())["rows"]
    assert row["better"].endswith(" of 1")
    assert row["ms"] > 0


@pytest.mark.benchmarks
def test_the_memory_of_a_gpus_frames_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    words = ("--size", "160x96", "--batches", "1", "2", "--presets", "fast", "--json", file)
    assert run("gpu_memory.py", *words).returncode == 0
    (row,) = json.loads(file.read_text())["rows"]
    assert row["bytes_per_pixel_of_a_frame_more"] > 20


@pytest.mark.benchmarks
def test_the_gpus_script_walks_everything_without_one(
    run_gpu: Callable[..., None], tmp_path: Path
) -> None:
    file = tmp_path / "gpu.json"
    words = ("--ways", "bf16", "onnx", "tensorrt", "compile", "graphs")
    run_gpu("--dry-run", "--json", file, *words)
    report: dict[str, Any] = json.loads(file.read_text())
    assert report["device"] == "cpu"
    assert report["machine"]["versions"]["torch"]
    assert report["machine"]["gpus"] == list(nvidia_gpus())
    assert report["targets"] == {}, "tiny frames reach nothing"
    rows = report["rows"]
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
def test_the_gpus_script_says_that_there_is_none(run_gpu: Callable[..., None]) -> None:
    with pytest.raises(SystemExit, match=r"no GPU that torch can use here: try --dry-run\."):
        run_gpu()
    assert not (SCRIPTS / "results" / "gpu.json").exists()


@pytest.mark.benchmarks
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_does_not_grow(tmp_path: Path) -> None:
    words = ("--side", "256", "--pictures", "40", "--warm-up", "20", "--preset", "fast", "--json")
    done = run("growth.py", *words, tmp_path / "growth.json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "growth.json").read_text())
    # 0 to 0.5 MiB measured. A leak of one picture each time would be 40 × 0.19 MiB in 8 bits, and
    # 40 × 0.75 MiB in what networks are given; 40 × 0.5 MiB measure 20.5.
    assert report["growth_mib"] <= 5, done.stdout
    assert report["pictures"] == 40


@pytest.mark.benchmarks
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_run_over_a_folder_does_not_grow(tmp_path: Path) -> None:
    words = ("--pictures", "120", "--warm-up", "40", "--json", tmp_path / "small.json")
    done = run("many_small.py", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "small.json").read_text())
    assert report["done"] == 120
    assert report["growth_mib"] <= 5


@pytest.mark.benchmarks
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_runs_lose_and_repeat_nothing(tmp_path: Path) -> None:
    words = ("--kills", "4", "--pictures", "12", "--json", tmp_path / "killed.json")
    done = run("killed_runs.py", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "killed.json").read_text())
    assert [row["kind"] for row in report["rows"]] == ["one", "first", "other", "all"]


@pytest.mark.benchmarks
@pytest.mark.skipif(sys.platform != "linux", reason="wait4 counts what a run's processes took")
def test_whole_runs_are_timed_with_their_processors(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(2):
        (tmp_path / "in" / f"{number}.jpg").write_bytes(SAMPLE.read_bytes())
    words = ("--only", "fast", "fast, --jobs auto", "--rounds", "1", "--json", tmp_path / "w.json")
    done = run("whole_runs.py", tmp_path / "in", *words)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "w.json").read_text())
    assert [row["run"] for row in report["rows"]] == ["fast", "fast, --jobs auto"]
    assert all(row["s"] > 0 and row["processors' s"] > 0 for row in report["rows"])


@pytest.mark.benchmarks
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_videos_script_checks_what_it_times(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", sound="stereo")
    file = tmp_path / "video.json"
    words = ("--runs", "1", "--photos", "3", "--long", source, "--json", file)
    done = run("video.py", source, *words)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(file.read_text())
    row = report["clips"]["in.mp4"]
    assert set(row["ms"]) == {"yuv", "reader", "fast", "balanced", "photos"}
    assert {"fast / yuv", "fast / reader", "photos / balanced"} <= set(row["ratios"])
    assert report["long"]["peak"] > 50


@pytest.mark.benchmarks
@pytest.mark.usefixtures("s3")
def test_the_stores_script_checks_what_it_times(tmp_path: Path, s3: S3Server) -> None:
    s3.buckets["bench"] = {}
    file = tmp_path / "stores.json"
    words = ("--libraries", "obstore", "--count", "30", "--rounds", "1", "--key", KEY)
    done = run("stores.py", s3.endpoint, *words, "--json", file)
    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text())
    assert [row["threads"] for row in report["rows"]] == [1, 16]
    assert s3.calls["put"] == s3.calls["get"] == 60
    for row in report["rows"]:
        assert row["library"] == "obstore"
        assert row["put"] > 0
        assert row["disk MB"] > 1


def test_calls_alternate_and_warm_up_once(scripts: Callable[[str], Any]) -> None:
    called: list[str] = []
    calls = {name: partial(called.append, name) for name in "ab"}
    found = scripts("harness").time_in_turns(calls, rounds=2)
    assert called == ["a", "a", "b", "b", "a", "b"]
    assert {name: timed.count for name, timed in found.items()} == {"a": 2, "b": 2}


def test_results_are_replaced_part_by_part(tmp_path: Path, scripts: Callable[[str], Any]) -> None:
    harness, file = scripts("harness"), tmp_path / "new" / "results.json"
    harness.write_part(file, "speed", {"ms": 2})
    harness.write_part(file, "quality", {"iou": 0.5})
    report = json.loads(file.read_text())
    assert (report["speed"]["ms"], report["quality"]["iou"]) == (2, 0.5)
    assert {"date", "machine", "iou"} == set(report["quality"])
    assert {"bf16", "vnni", "processor"} <= set(report["speed"]["machine"])


def test_only_the_listed_pictures_are_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripts: Callable[[str], Any]
) -> None:
    lists = scripts("score_lists")
    monkeypatch.setattr(lists, "LISTS", tmp_path)
    for name in ("picture.jpg", "truth.png"):
        (tmp_path / name).write_bytes(name.encode())
    lines = [lists.hash_line(tmp_path / name, tmp_path) for name in ("picture.jpg", "truth.png")]
    lists.write_lines("people", ["# portraits", *lines])
    (found,) = lists.verified("people", tmp_path)
    assert (found.kind, found.picture, found.truth) == ("portraits", "picture.jpg", "truth.png")
    (tmp_path / "truth.png").write_bytes(b"another")
    with pytest.raises(SystemExit, match=r"truth.png is another file than was listed"):
        lists.verified("people", tmp_path)


@pytest.mark.parametrize("name", ["people", "objects", "mattes"])
def test_no_shipped_recipe_trains_on_a_listed_picture(
    name: str, scripts: Callable[[str], Any]
) -> None:
    lists = scripts("score_lists")
    pictures = lists.read_list(name)
    assert len(pictures) >= 25
    assert lists.trained_on(pictures) == 0


def test_differences_of_results_are_named(tmp_path: Path, scripts: Callable[[str], Any]) -> None:
    same_results = scripts("same_results")
    old, new = (np.full((2, 2), value, np.float32) for value in (0, 0.5))
    np.savez_compressed(tmp_path / "item.npz", alpha=old)
    hashes = {"alpha": same_results.digest(old), "mask": same_results.digest(old)}
    saved = {"fault": "", "hashes": hashes}
    file = tmp_path / "item.npz"
    assert same_results.differences({"alpha": old, "mask": old}, "", saved, file) == []
    assert same_results.differences({"alpha": new}, "", saved, file) == [
        "alpha differs by at most 0.5, 0.5 on average",
        "mask is missing",
    ]
    assert same_results.differences({}, "broken", saved, file) == ["broken, was no fault"]


def test_a_sweeps_weights_are_found_again(scripts: Callable[[str], Any]) -> None:
    mark = scripts("sweep_mark")
    random = np.random.default_rng(0)
    weights = np.array([0.5, -0.4, 0.2, 0.1])
    measured = []
    for number in range(30):
        features = random.normal(size=(11, 4))
        sad = np.exp(features @ weights + random.normal(0, 0.01, 11) + number)
        measured.append(mark.MeasuredPicture("things", str(number), sad, features))
    assert mark.fit(measured) == pytest.approx(weights, abs=0.01)
    found = mark.marks([(picture, weights) for picture in measured], range(11))
    assert found["n"] == 30
    assert found["hits"] > 0.8
    assert found["regret"] < 0.01
    worst = mark.marks([(picture, -weights) for picture in measured], range(11))
    assert worst["hits"] == 0
    assert worst["regret"] > 1
