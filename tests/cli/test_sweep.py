"""`matte sweep-trimap`, as it is typed."""

import json
from pathlib import Path

import numpy as np
import pytest

from matte.media.pictures import read_alpha, read_image, read_trimap
from tests.commands import run
from tests.conftest import SAMPLE, disc, save

QUICK = ("--refiner", "guided", "--segmenter", "person-light")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_as_typed_the_shipped_portrait_is_swept(here: Path) -> None:
    result = run("sweep-trimap", "--k", "2,7,12")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    title, head, *rows, best, written = result.stdout.splitlines()
    assert title.endswith("astronaut.jpg, 512×512")
    assert head.split() == ["setting", "unknown", "error", "instability", "ms"]
    assert [row[: len("k = 12, 6 iterations")].strip() for row in rows] == [
        "k = 2, 6 iterations",
        "k = 7, 6 iterations",
        "k = 12, 6 iterations",
    ]
    assert rows[0].endswith("lopsided, k is even: k = 3 is not")
    assert sum("1.00" in row and "best" in row for row in rows) == 1
    assert best.startswith("best: k = ")
    assert written == "trimap-sweep.png"
    height, width = read_image(here / written).shape[:2]
    assert 900 < height < 1300
    assert 900 < width < 2100


def test_json_holds_all_numbers(here: Path) -> None:
    words = ("--k", "3,auto", "--iterations", "4,6", "--width", "1%")
    result = run("sweep-trimap", SAMPLE, *words, *QUICK, "--json", "-o", "sheet.webp", "-v")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["sheet"] == "sheet.webp"
    (picture,) = told["pictures"]
    names = [row["setting"] for row in picture["settings"]]
    assert names == ["k = 3, 4 iterations", "k = 3, 6 iterations", "k = auto", "width = 1%"]
    assert picture["best"] in names
    for row in picture["settings"]:
        assert 0 < row["unknown"] < 0.5
        assert row["error"] >= 1
        assert row["instability"] > 0
        assert row["ms"] > 0
    assert "person-light on" in result.stderr
    assert "guided" in result.stderr
    assert (here / "sheet.webp").is_file()


def test_all_single_files_are_saved_on_request(here: Path) -> None:
    words = ("sweep-trimap", SAMPLE, "--k", "3,4", *QUICK, "--save-all")
    result = run(*words)
    assert result.exit_code == 0, result.output
    names = ["mask", "k3-i6-trimap", "k3-i6-alpha", "k3-i6-composite"]
    names += ["k4-i6-trimap", "k4-i6-alpha", "k4-i6-composite"]
    written = [f"trimap-sweep/astronaut-{name}.png" for name in names]
    assert result.stdout.splitlines()[-8:] == [*written, "trimap-sweep.png"]
    assert set(np.unique(read_trimap(here / written[1]))) == {0, 128, 255}
    assert read_alpha(here / written[2]).shape == (512, 512)
    corner = read_image(here / written[3])[0, -1]
    assert tuple(corner) == (255, 0, 255)
    (here / "trimap-sweep.png").unlink()
    again = run(*words)
    assert again.exit_code == 1
    assert "exists: choose another name or add --overwrite" in again.stderr
    assert run(*words, "--overwrite", "-q").exit_code == 0


def test_several_pictures_share_a_sheet_and_one_that_fails_stops_no_other(here: Path) -> None:
    save(here / "dark.png", np.zeros((40, 60, 3), np.uint8))
    (here / "broken.jpg").write_text("no picture")
    words = (SAMPLE, "broken.jpg", "dark.png", "--k", "3,5", *QUICK)
    result = run("sweep-trimap", *words, "--bg", "white")
    assert result.exit_code == 1
    assert "Warning: no subject found in dark.png: alpha is 0" in result.stderr
    assert "Error: broken.jpg is not a readable picture" in result.stderr
    assert result.stderr.splitlines()[-1] == "Error: 1 of 3 pictures failed: see above"
    assert "dark.png, 60×40" in result.stdout
    assert "\nall pictures, best: k = " in result.stdout
    assert (here / "trimap-sweep.png").is_file()


def test_no_subject_is_an_answer(here: Path) -> None:
    save(here / "dark.png", np.zeros((40, 60, 3), np.uint8))
    result = run("sweep-trimap", "dark.png", "--k", "3", *QUICK, "-q")
    assert result.exit_code == 0, result.output
    assert "no subject found in dark.png" in result.stderr
    assert result.stdout.endswith("best: none: no subject found\n")
    assert (here / "trimap-sweep.png").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--k", ""), "--k '': give whole numbers, auto or learned, such as 3,7,auto"),
        (("--k", "3,x"), "--k '3,x': give whole numbers, auto or learned"),
        (("--k", "0"), "k = 0: give 1 … 101, auto, or learned"),
        (("--iterations", "4,,6"), "--iterations '4,,6': give whole numbers such as 4,6"),
        (("--iterations", "0"), "iterations = 0: give 1 … 100"),
        (("--width", "wide"), "'wide' is not a length"),
        (("--width", ","), "--width ',': give pixels or shares such as 12,1.5%"),
        (("--bg", "nocolour"), "background 'nocolour' is neither a file nor a colour"),
    ],
)
def test_what_can_not_be_swept_is_said_on_one_line(
    here: Path, words: tuple[str, ...], told: str
) -> None:
    result = run("sweep-trimap", *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(here.iterdir())


def test_outputs_are_checked_before_the_work(here: Path) -> None:
    picture = save(here / "photo.png", disc(40, 50)[0])
    (here / "sheet.png").write_text("precious")
    (here / "taken").write_text("no folder")
    mask = save(here / "mask.png", disc(40, 50)[0])
    drawn = mask.read_bytes()
    for words, told in (
        (("--subject", "mask:mask.png", "-o", "mask.png", "--overwrite"), "mask.png is named"),
        (("-o", "sheet.png"), "sheet.png exists"),
        (("-o", "sheet.txt"), "can't write sheet.txt"),
        (("-o", "photo.png", "--overwrite"), "photo.png is named twice"),
        (("--save-all", "-o", "taken.png"), "taken exists"),
        (("--save-all", "-o", "none/such.png"), "create it first"),
    ):
        result = run("sweep-trimap", picture, *words)
        assert result.exit_code == 1, words
        assert told in result.stderr
        assert result.stdout == ""
    assert (here / "sheet.png").read_text() == "precious"
    assert mask.read_bytes() == drawn
    assert run("sweep-trimap", "nothing.jpg").stderr.startswith("Error: can't read nothing.jpg")


def test_settings_of_a_file_that_a_sweep_leaves_out_are_said(here: Path) -> None:
    picture = save(here / "photo.png", disc(40, 50)[0])
    words = ("sweep-trimap", picture, "--k", "3", *QUICK, "-q", "--config", "own.toml")
    for text, told in (
        ('[segmentation]\nscreen = "green"', ["own.toml: screen = green is left out in a sweep"]),
        ('[modnet]\nmodnet = "modnet"', ["own.toml: modnet = modnet is left out in a sweep"]),
        ('[segmentation]\nscreen = "none"', []),
    ):
        (here / "own.toml").write_text(text)
        result = run(*words, "--overwrite")
        assert result.exit_code == 0, result.output
        warnings = [line for line in result.stderr.splitlines() if "left out" in line]
        assert warnings == [f"Warning: {line}" for line in told]


def test_help_has_an_example() -> None:
    lines = run("sweep-trimap", "--help").stdout.splitlines()
    assert any(line.strip().startswith("Example: matte sweep-trimap ") for line in lines)
