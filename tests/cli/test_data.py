import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from matte.cli.main import main
from matte.datasets.layouts import LAYOUTS
from matte.media.pictures import read_image
from tests.commands import run
from tests.conftest import SAMPLE
from tests.datasets.sets import half, put


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", "check", *map(str, arguments)])


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    put(folder, "images/a.jpg", "images/b.jpg", "images/c.jpg", "masks/a.png")
    put(folder, "masks/b.png", array=half(13, 16))
    return folder


def test_the_help_names_every_layout() -> None:
    told = " ".join(check("--help").output.split())
    assert all(name in told for name in LAYOUTS)


def test_what_is_found_is_printed(pairs: Path) -> None:
    result = check(pairs)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "layout      pairs (guessed)"
    assert lines[1] == "usable      1: 1 mask"
    assert "broken      2" in lines
    assert "c.jpg: no mask of this name" in result.output
    assert "b.png is 16×13, b.jpg 16×12: give both at one size" in result.output


def test_the_report_as_json(pairs: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.jpg"
    result = check(pairs, "--json", "--layout", "pairs", "--sheet", sheet)
    assert json.loads(result.stdout)["usable"] == 1
    assert cv2.imread(str(sheet)) is not None


def test_a_sheet_is_not_replaced_unasked(pairs: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"mine")
    result = check(pairs, "--sheet", sheet)
    assert result.exit_code == 1
    assert "exists" in result.output
    assert sheet.read_bytes() == b"mine"
    assert check(pairs, "--sheet", sheet, "--overwrite").exit_code == 0
    assert cv2.imread(str(sheet)) is not None


def test_a_sheet_replaces_no_picture_of_the_set(pairs: Path) -> None:
    for name in ("images/a.jpg", "masks/a.png", "images/c.jpg"):
        before = (pairs / name).read_bytes()
        result = check(pairs, "--sheet", pairs / name, "--overwrite")
        assert result.exit_code == 1, name
        assert "is named twice: give every file its own name" in result.output
        assert (pairs / name).read_bytes() == before


def test_nothing_usable_is_an_error_after_the_report(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg", "masks/b.png")
    result = check(tmp_path)
    assert result.exit_code == 1
    assert "broken      2" in result.output
    assert "Error: nothing in" in result.output


def test_classes_are_a_list(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg")
    put(tmp_path, "labels/a.png", array=half(top=25))
    result = check(tmp_path, "--classes", "dress, jeans", "--json")
    assert json.loads(result.stdout)["subject"] == 0.5
    wrong = check(tmp_path, "--classes", "jaens")
    assert wrong.exit_code == 2
    assert "did you mean 'jeans'" in wrong.output


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    result = check(tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "no folder" in result.output


def test_distillation_that_drops_everything_fails_in_one_line(tmp_path: Path) -> None:
    portrait = cv2.resize(read_image(SAMPLE), (128, 128), interpolation=cv2.INTER_AREA)
    put(tmp_path / "set", "images/a.png", array=np.asarray(portrait))
    put(tmp_path / "set", "masks/a.png", array=np.eye(128, dtype=np.uint8) * np.uint8(255))
    out = tmp_path / "out"
    words = ("data", "distil", tmp_path / "set", "--out", out, "--refiner", "guided")
    result = run(*words)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == (
        f"Error: no picture of {tmp_path / 'set'} became a matte: lower --agreement,"
        " choose another --preset, or look at the masks"
    )
    assert not [path for path in out.rglob("*") if path.is_file()]
    for told in ("1 written", "1 there before"):
        result = run(*words, "--agreement", "0")
        assert (result.exit_code, result.stdout) == (0, f"{out}\n")
        assert told in result.stderr
    (tmp_path / "set/masks/a.png").write_bytes(b"")
    result = run(*words[:4], tmp_path / "other", *words[5:])
    assert result.exit_code == 1
    assert result.stderr.endswith(f"became a matte: see 'matte data check {tmp_path / 'set'}'\n")
