import json
from pathlib import Path

import numpy as np
import pytest

from matte.media.pictures import read_image
from tests.commands import run
from tests.conftest import disc, save

BAND = ("--k", "3", "--iterations", "2")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "a.png", disc(40, 50)[0])


@pytest.mark.usefixtures("fake")
def test_a_shop_s_picture_is_finished_and_checked(photo: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "o.png", tmp_path / "r.json"
    done = run(photo, "--finish", "amazon", "-o", out, "--report", report, *BAND)
    assert done.exit_code == 0, done.output
    picture = read_image(out)
    assert picture.shape == (2000, 2000, 3)
    assert picture[5, 5].tolist() == [255, 255, 255]
    told = json.loads(report.read_text())
    assert told["canvas"]["width"] == 2000
    assert told["pictures"][0]["canvas"]["broken rules"] == []


@pytest.mark.usefixtures("fake")
def test_options_go_before_the_shop_s(photo: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "o.png", tmp_path / "r.json"
    words = ["--finish", "amazon", "--canvas", "300x200", "--fill", "50%", "--bg", "#102030"]
    done = run(photo, *words, "-o", out, "--report", report, *BAND)
    assert done.exit_code == 0, done.output
    assert read_image(out)[2, 2].tolist() == [16, 32, 48]
    assert len(json.loads(report.read_text())["pictures"][0]["canvas"]["broken rules"]) == 3


@pytest.mark.usefixtures("fake")
def test_a_cut_out_stands_on_a_canvas_too(photo: Path, tmp_path: Path) -> None:
    words = ["--canvas", "90x120", "--align", "bottom", "--shadow", "contact:40%"]
    done = run(photo, *words, "-o", tmp_path / "o.png", *BAND)
    assert done.exit_code == 0, done.output
    import cv2

    found = cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED)
    assert found is not None
    assert found.shape == (120, 90, 4)
    rows = np.nonzero(found[:, :, 3] >= 128)[0]
    assert rows.max() == pytest.approx(0.925 * 120, abs=5)
    assert 0 < found[112, 45, 3] < 128, "the shadow"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fill", "50%"], "--fill is for a canvas"),
        (["--canvas", "20"], "'20' is no size of a canvas"),
        (["--canvas", "20x20", "--crop", "0"], "--canvas and --crop exclude each other"),
        (["--canvas", "20x20", "--bg", "blur"], "a photo's own background fits no canvas"),
        (["--finish", "bazaar"], "no finish 'bazaar'"),
        (["--canvas", "20x20", "--shadow", "long"], "no shadow 'long'"),
    ],
)
def test_what_can_not_be_finished_is_said_before(
    photo: Path, words: list[str], message: str
) -> None:
    done = run(photo, *words)
    assert done.exit_code == 2
    assert message in done.stderr
