"""Reports, and what can be done with them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.configs.settings import SETTINGS
from tests.commands import run
from tests.conftest import SAMPLE, disc, save

BAND = ("--k", "3", "--iterations", "2")
IMAGE, ALPHA = disc(64, 80)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.png", IMAGE)


def test_a_run_is_repeated_from_its_report(tmp_path: Path) -> None:
    """By what the report holds, not by the command that is also in it."""
    photo = tmp_path / "photo.jpg"
    with Pillow.open(SAMPLE) as sample:
        sample.resize((160, 160)).save(photo)
    beach = save(tmp_path / "beach.png", np.full((3, 3, 3), (10, 200, 30), np.uint8))
    out, report = tmp_path / "out.png", tmp_path / "report.json"
    result = run(
        *(photo, "--bg", beach, "--fit", "tile", "--crop", "2%", "-o", out, "--report", report),
        *("--refiner", "guided", "--threads", "1", "--width", "3%", "--threshold", "0.4"),
    )
    assert result.exit_code == 0, result.output
    told = json.loads(report.read_text())
    (picture,) = told["pictures"]
    assert picture["band"] == "4.8 px to each side, as asked"
    assert picture["unknown"] > 0
    assert set(picture["ms"]) == {"segment", "trimap", "refine", "foreground"}
    ran = told["networks"]["segmenter"]
    assert set(ran) == {"name", "sha256", "backend", "device", "precision", "why"}
    assert told["machine"]["packages"]["numpy"] == np.__version__
    again = tmp_path / "again.png"
    others = {name for name, setting in SETTINGS.items() if setting.section == "video"} | {"modnet"}
    words = [w for name, v in told["settings"].items() if name not in others for w in flag(name, v)]
    ground = ("--bg", told["background"]["file"], "--crop", told["crop"])
    result = run(picture["file"], *ground, *words, "--preset", told["preset"], "-o", again)
    assert result.exit_code == 0, result.output
    assert again.read_bytes() == out.read_bytes()


def flag(name: str, value: object) -> tuple[str, ...]:
    words = name.replace("_", "-")
    if isinstance(value, bool):
        return (f"--{words}" if value else f"--no-{words}",)
    return f"--{words}", str(value)


@pytest.mark.usefixtures("fake")
def test_a_report_on_standard_output_is_alone_there(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    result = run(photo, "-o", out, "--report", "-")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pictures"][0]["written"] == [str(out)]
    assert result.stderr.endswith(f"{out}\n")
    result = run(photo, "-o", "-", "--report", "-")
    assert result.exit_code == 1
    assert "picture and report can't both go to standard output: name a file" in result.stderr


@pytest.mark.usefixtures("fake")
def test_reports_name_what_was_given(photo: Path, tmp_path: Path) -> None:
    mask = save(tmp_path / "mask.png", np.full((64, 80), 255, np.uint8))
    report = tmp_path / "report.json"
    result = run(photo, "--mask-in", mask, "--bg", "red", "--report", report)
    assert result.exit_code == 0, result.output
    told = json.loads(report.read_text())
    assert told["mask_in"]["file"] == str(mask)
    assert len(told["mask_in"]["sha256"]) == len(told["pictures"][0]["sha256"]) == 64
    assert told["trimap_in"] is None
    assert told["background"] == {"colour": [255, 0, 0]}
