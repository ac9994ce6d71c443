"""`matte bench`, as it is typed: real processes, a small picture, a peer of a few lines."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from matte.configs.places import cache_folder
from matte.media.pictures import read_image
from tests.commands import HEAVY, loaded_by, run
from tests.conftest import save

QUICK = ("--segmenter", "person-light", "--refiner", "guided", "--threads", "1", "--runs", "1")


@pytest.fixture
def peers(tmp_path: Path) -> Path:
    """A peer that takes the picture as it is, one that fails, one that is not installed."""
    copy = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"
    fail = "raise SystemExit('out of luck')"
    for name, code in (("copy", copy), ("fail", fail)):
        (tmp_path / f"{name}.py").write_text(code)
    words = {name: [sys.executable, str(tmp_path / f"{name}.py")] for name in ("copy", "fail")}
    toml = tmp_path / "peers.toml"
    toml.write_text(
        "".join(
            f"[{name}]\ncommand = {json.dumps([*those, '{source}', '{target}'])}\n"
            for name, those in words.items()
        )
    )
    return toml


def test_everything_is_measured_and_told(tmp_path: Path, peers: Path) -> None:
    out, plot = tmp_path / "out.json", tmp_path / "plot.png"
    files = ("--json", out, "--plot", plot)
    asked = ("--runtimes", "auto,openvino", "--precision", "fp32", "--against", peers)
    result = run("bench", "--sizes", "128", *asked, *QUICK, *files)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-2:] == [str(out), str(plot)]
    announced = [line.partition(": ")[0] for line in result.stderr.splitlines()[:2]]
    assert announced == [f"{peers} runs copy", f"{peers} runs fail"]
    told = json.loads(out.read_text())
    assert told["preset"] == "balanced"
    assert told["settings"]["refiner"] == "guided"
    assert told["machine"]["threads"] >= 1
    assert told["machine"]["versions"]["openvino"]
    assert told["auto"]["segmenter"]["name"] == "person-light"
    assert told["auto"]["segmenter"]["why"]
    (size,) = told["sizes"]
    assert (size["width"], size["height"]) == (128, 128)
    names = [row["name"] for row in size["runtimes"]]
    assert names[0] == "auto"
    assert "openvino cpu fp32" in names
    assert size["fastest"] in names
    for row in size["runtimes"]:
        assert row["error"] == ""
        assert row["fps"] > 0
        assert row["stages_ms"]["segment"]["median"] > 0
        assert row["cold"]["seconds"]["median"] > 0
        assert row["total_ms"]["median"] > 0
        assert 20 < row["cold"]["peak_mib"] < 4000
    processes = {row["name"]: row for row in size["processes"]}
    for name in ("python", "matte config show", "networks loaded", "matte image"):
        assert processes[name]["seconds"]["median"] > 0
    assert processes["matte image, first time"]["seconds"]["runs"] == 1
    copy, image = processes["copy"], processes["matte image"]
    ratio = copy["seconds"]["median"] / image["seconds"]["median"]
    assert copy["ratio"]["matte image"] == pytest.approx(ratio, rel=0.1)
    assert image["ratio"]["copy"] == pytest.approx(1 / ratio, rel=0.1)
    assert processes["fail"]["error"] == "fail failed (out of luck)"
    height, width = read_image(plot).shape[:2]
    assert width == 1600
    assert 500 < height < 1500


def test_auto_learns_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "home"))  # what others measured stays
    words = (
        "bench",
        "--sizes",
        "96",
        "--runtimes",
        "auto",
        "--precision",
        "fp32",
        "--no-cold",
        *QUICK,
    )
    assert run(*words).exit_code == 0
    choices = list((cache_folder() / "choices").glob("*.json"))
    assert choices
    for file in choices:
        told = json.loads(file.read_text())
        told["way"]["why"] = "an old tale"
        file.write_text(json.dumps(told))
    again = run(*words)
    assert again.exit_code == 0, again.output
    assert "auto, segmenter person-light: " in again.stdout
    assert "an old tale" not in again.stdout
    assert "whole process" not in again.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--sizes", "huge"], 2, "no size 'huge': give 720p, 1080p"),
        (["--sizes", ","], 2, "no sizes: give one, such as 1080p"),
        (["--runtimes", "cuda"], 2, "no runtime 'cuda': choose from auto, "),
        (["--against", "rembgg"], 2, "no peer 'rembgg': did you mean 'rembg'"),
        (["--against", "rembg"], 1, "peer 'rembg' is not installed: --install-peers puts rembg["),
        (["--against", "none.toml"], 2, "can't read none.toml"),
        (["none.jpg"], 1, "can't read none.jpg"),
        (["--segmenter", "nobody"], 1, "no segmenter 'nobody'"),
        (["--json", "out.txt"], 1, "can't write out.txt: end it in .json"),
        (["--plot", "out.svg"], 1, "can't write out.svg"),
        (["--json", "PRECIOUS"], 1, "PRECIOUS exists: choose another name or add --overwrite"),
    ],
)
def test_mistakes_get_one_line_before_the_work(
    tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    precious = tmp_path / "precious.json"
    precious.write_text("{}")
    result = run("bench", *(word.replace("PRECIOUS", str(precious)) for word in words))
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: " + message.replace("PRECIOUS", str(precious)))
    assert precious.read_text() == "{}"


def test_a_picture_of_ones_own_must_hold_somebody(tmp_path: Path) -> None:
    black = save(tmp_path / "black.png", np.zeros((64, 64, 3), np.uint8))
    result = run("bench", black, "--sizes", "64", "--runtimes", "onnx", "--runs", "1")
    assert result.exit_code == 1
    assert result.stderr == "Error: no subject is found in the picture: give another one\n"


def test_the_benchmark_itself_loads_no_torch() -> None:
    words = ("bench", "--sizes", "96", "--runtimes", "onnx", "--no-cold", *QUICK)
    assert not loaded_by(*words) & HEAVY
