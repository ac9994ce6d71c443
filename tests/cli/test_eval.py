import json
from pathlib import Path

import numpy as np
import pytest

from matte.media.encoding import encode_alpha
from matte.media.pictures import read_image
from tests.commands import HEAVY, loaded_by, run
from tests.conftest import disc, save
from tests.evaluation.conftest import Write, linear_network

__all__ = ["linear_network"]

METRICS = ("sad", "mse", "mad", "grad", "conn")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """input/, gt/ and trimap1/ with two discs, and a picture that can't be read."""
    folder = tmp_path / "discs"
    for name in ("input", "gt", "trimap1"):
        (folder / name).mkdir(parents=True)
    for name, height in (("small", 60), ("large", 96)):
        image, alpha = disc(height, 100)
        save(folder / f"input/{name}.png", image)
        (folder / f"gt/{name}.png").write_bytes(encode_alpha(alpha, ".png"))
        trimap = np.select([alpha == 0, alpha == 1], [0, 255], 128).astype(np.uint8)
        save(folder / f"trimap1/{name}.png", trimap)
    (folder / "input/broken.png").write_bytes(b"")
    (folder / "gt/broken.png").write_bytes(b"")
    return folder


def test_a_refiners_report(data: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "out.json", tmp_path / "worst.jpg"
    words = ("--refiner", "guided", "--json", out, "--sheet", sheet)
    result = run("eval", "refiner", "--data", data, *words)
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert all(isinstance(found[metric], float) for metric in METRICS)
    assert (found["pictures"], found["region"], found["contestant"]) == (2, "unknown", "guided")
    assert list(found["skipped"]) == ["broken"]
    assert "Skipped broken: " in result.stderr
    assert "Skipped 1 of 3 pairs" in result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()[1:3]] == ["guided", "blind"]
    assert read_image(sheet).shape[1] > 5 * 200


def test_files_are_kept_and_checked_first(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text("precious")
    words = ("eval", "refiner", "--data", data, "--trimap-from-alpha", "6", "--json", out)
    result = run(*words)
    assert result.exit_code == 1
    assert "exists: choose another name or add --overwrite" in result.stderr
    assert out.read_text() == "precious"
    assert run(*words, "--overwrite").exit_code == 0
    assert json.loads(out.read_text())["pictures"] == 2
    truth = data / "gt/small.png"
    result = run("eval", "refiner", "--data", data, "--sheet", truth, "--overwrite")
    assert result.exit_code == 1
    assert "is named twice" in result.stderr


def test_the_other_stages(data: Path, tmp_path: Path) -> None:
    for task, region, metrics in (
        ("segmenter", "whole", ("miou", "accuracy")),
        ("pipeline", "whole", METRICS),
    ):
        out = tmp_path / f"{task}.json"
        untimed = ("--runs", "0") if task == "segmenter" else ()
        result = run("eval", task, "--data", data, "--json", out, *untimed)
        assert result.exit_code == 0, result.output
        found = json.loads(out.read_text())
        assert (found["task"], found["region"]) == (task, region)
        assert all(isinstance(found[metric], float) for metric in metrics)


def test_refiners_by_comma_and_repetition(data: Path) -> None:
    result = run(
        *("eval", "refiner", "--data", data, "--refiner", "blind,guided", "--reference", "blind")
    )
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()[1:3]] == ["blind", "guided"]
    assert "compared with blind" in result.stdout
    again = run("eval", "refiner", "--data", data, "--refiner", "blind", "--refiner", "guided")
    assert again.stdout.splitlines()[1].startswith("blind")


def test_segmenters_in_one_table(data: Path, tmp_path: Path) -> None:
    out, plot = tmp_path / "out.json", tmp_path / "plot.png"
    words = ("--segmenter", "person-light", "--backend", "onnx", "--runs", "1")
    result = run("eval", "segmenter", "--data", data, *words, "--json", out, "--plot", plot)
    assert result.exit_code == 0, result.output
    assert "onnx cpu fp32, ms" in result.stdout.splitlines()[0]
    assert "openvino" not in result.stdout
    found = json.loads(out.read_text())
    assert found["costs"]["input"] == {"width": 320, "height": 320}
    assert 0.8e9 < found["costs"]["macs"] < 1e9
    assert found["costs"]["runtimes"]["onnx cpu fp32"]["ms"]["runs"] == 1
    assert read_image(plot).shape[1] == 1600
    again = run("eval", "segmenter", "--data", data, *words, "--plot", plot)
    assert again.exit_code == 1
    assert "exists: choose another name or add --overwrite" in again.stderr


def test_segmenters_by_comma_and_repetition(data: Path, linear_network: Write) -> None:
    a, b, c, d = (
        linear_network(name, [[2.0] * 3], [-3.0], sigmoid=True, shape=(1, 3, 64, 64))
        for name in "abcd"
    )
    words = ("--segmenter", f"{a}, {b}", "--segmenter", c, "--weights", d, "--backend", "onnx")
    result = run("eval", "segmenter", "--data", data, *words, "--runs", "1")
    assert result.exit_code == 0, result.output
    names = [line.split()[0] for line in result.stdout.splitlines()[1:5]]
    assert names == [str(path) for path in (a, b, c, d)]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["refiner"], 2, "Missing option '--data'"),
        (["segmenter", "--data", "none"], 1, "no folder none: name one that holds images/"),
        (["refiner", "--data", "DATA", "--trimap", "t"], 1, "no folder t in"),
        (
            ["refiner", "--data", "DATA", "--trimap", "t", "--trimap-from-alpha", "5"],
            2,
            "--trimap, ",
        ),
        (["refiner", "--data", "DATA", "--trimap-from-alpha", "0"], 2, "trimaps 0 pixels wide"),
        (["refiner", "--data", "DATA", "--refiner", "guided", "--weights", "x"], 2, "--weights be"),
        (["refiner", "--data", "DATA", "--refiner", "guided,guided"], 2, "two contestants"),
        (["refiner", "--data", "DATA", "--reference", "x"], 2, "no contestant 'x'"),
        (["segmenter", "--data", "DATA", "--weights", "none.onnx"], 1, "can't read none.onnx"),
        (["segmenter", "--data", "DATA", "--segmenter", "person,persn"], 1, "no segmenter 'persn'"),
        (["segmenter", "--data", "DATA", "--segmenter", "person,person"], 2, "two contestants"),
        (["segmenter", "--data", "DATA", "--runs", "0", "--plot", "a.png"], 2, "--plot needs time"),
        (["segmenter", "--data", "DATA", "--plot", "out.txt"], 1, "can't write out.txt"),
        (["pipeline", "--data", "DATA", "--peer", "none.toml"], 2, "can't read none.toml"),
        (["pipeline", "--data", "DATA", "--json", "out.txt"], 1, "can't write out.txt"),
        (["pipeline", "--data", "DATA", "--sheet", "out.txt"], 1, "can't write out.txt"),
    ],
)
def test_mistakes_get_one_line(data: Path, words: list[str], code: int, message: str) -> None:
    result = run("eval", *(str(data) if word == "DATA" else word for word in words))
    assert result.exit_code == code, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert errors[0].startswith(f"Error: {message}"), errors


def test_evaluation_loads_neither_torch_nor_what_compiles(data: Path) -> None:
    loaded = loaded_by("eval", "pipeline", "--data", data)
    assert "matte.metrics.mattes" in loaded
    assert not loaded & HEAVY
