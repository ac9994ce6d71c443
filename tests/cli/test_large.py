"""Large pictures as they are typed: --tile and --max-memory."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from matte.media.pictures import read_alpha, read_photo
from tests.commands import run
from tests.conftest import SAMPLE, disc, save

FAST = ("--preset", "fast", "--backend", "onnx", "--precision", "fp32")
COMMANDS = (("image",), ("refine", "trimap.png"), ("sweep-trimap", "--k", "3"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture, 300 × 200, and its trimap."""
    monkeypatch.chdir(tmp_path)
    photo = read_photo(SAMPLE).pixels
    save(tmp_path / "photo.png", np.asarray(cv2.resize(photo, (300, 200))))
    trimap = np.zeros((200, 300), np.uint8)
    trimap[:, 150:] = 255
    trimap[:, 60:240] = 128
    save(tmp_path / "trimap.png", trimap)
    return tmp_path


def report_of(*words: str) -> dict[str, Any]:
    """What `matte image` tells of the picture."""
    result = run("photo.png", *FAST, *words, "-o", "out.png", "--report", "r.json", "--overwrite")
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(Path("r.json").read_text())
    return told


@pytest.mark.parametrize(
    ("words", "way", "why"),
    [
        ((), "whole", "the least for the network to see"),
        (("--tile", "auto"), "whole", "the least for the network to see"),
        (("--tile", "off"), "whole", "as asked"),
        (("--tile", "64"), "tiles", "as asked"),
        (("--tile", "192"), "tiles", "as asked"),
        (("--tile", "4096"), "whole", "as asked"),  # the picture holds none
        (("--protocol", "demo"), "whole", "as asked"),
        (("--protocol", "demo", "--tile", "64"), "tiles", "as asked"),
    ],
)
def test_reports_tell_how_a_picture_was_refined(words: tuple[str, ...], way: str, why: str) -> None:
    told = report_of("--width", "20%", "--trimap-in", "trimap.png", *words)
    refined = told["pictures"][0]["refined"]
    assert (refined["way"], refined["why"]) == (way, why)
    if way == "tiles":
        assert refined["side"] == told["settings"]["tile"]
        assert refined["tiles"] > 1
    if why == "as asked":
        assert refined["megapixels"] == {}
    else:
        assert refined["megapixels"]["whole"] == pytest.approx(0.06)
        # Tiles would see almost only unknown pixels.
        assert "tiles" not in refined["megapixels"]


def test_other_refiners_have_one_way() -> None:
    assert report_of("--refiner", "guided", "--tile", "64")["pictures"][0]["refined"] == {}


def test_tiles_change_little() -> None:
    for name, words in (("whole.png", ("--tile", "off")), ("tiles.png", ("--tile", "96"))):
        result = run("refine", "photo.png", "trimap.png", *FAST, *words, "-o", name)
        assert result.exit_code == 0, result.output
    whole, tiles = (read_alpha(Path(name)) for name in ("whole.png", "tiles.png"))
    apart = np.abs(whole - tiles)
    assert 0 < apart[:, 60:240].mean() < 0.1
    assert not apart[:, :60].any()
    assert not apart[:, 240:].any()


def test_a_sweep_takes_tiles() -> None:
    result = run("sweep-trimap", "photo.png", "--k", "3,5", *FAST, "--tile", "64", "-o", "s.png")
    assert result.exit_code == 0, result.output
    assert Path("s.png").is_file()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--tile", "0"), "tile = 0: give a multiple of 32 from 64 to 4096, auto, or off"),
        (("--tile", "100"), "tile = 100: give a multiple of 32"),
        (("--tile", "-64"), "tile = -64: give a multiple of 32"),
        (("--tile", "8192"), "tile = 8192: give a multiple of 32"),
        (("--tile", "much"), "Invalid value for '--tile': 'much' is neither a whole number nor"),
        (("--tile", "96.0"), "Invalid value for '--tile': '96.0' is neither a whole number nor"),
        (
            ("--max-memory", "much"),
            "max_memory: 'much' is not an amount of memory: give one such as 2GiB",
        ),
        (
            ("--max-memory", "0"),
            "max_memory: '0' is not an amount of memory: give one such as 2GiB",
        ),
        # What a network sees at once is somebody's wish.
        (
            ("--max-memory", "288MiB", "--tile", "off"),
            "a network that sees 0.0717 megapixels at once takes 0.32 GiB, and --max-memory is"
            " 0.28 GiB: raise --max-memory, or leave --tile and --refiner-protocol out",
        ),
        (("--max-memory", "288MiB", "--tile", "192"), "a network that sees 0.0369 megapixels at"),
    ],
)
def test_what_can_not_be_is_said_on_one_line(
    here: Path, command: tuple[str, ...], words: tuple[str, ...], message: str
) -> None:
    before = set(here.iterdir())
    result = run(command[0], "photo.png", *command[1:], *FAST, *words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"Error: {message}"), result.stderr
    assert result.stderr.count("Error: ") == 1
    assert set(here.iterdir()) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_picture_that_memory_is_not_enough_for_is_refused(
    here: Path, command: tuple[str, ...]
) -> None:
    before = set(here.iterdir())
    result = run(command[0], "photo.png", *command[1:], *FAST, "--max-memory", "261MiB")
    assert result.exit_code == 1
    refusal = "photo.png is 300×200, 0.1 megapixels: raise --max-pixels or --max-memory, or give"
    assert result.stderr.startswith(f"Error: {refusal}")
    assert result.stderr.count("\n") == 1
    assert set(here.iterdir()) == before


def test_sixteen_bits_take_more_memory(here: Path) -> None:
    deep = read_photo(Path("photo.png")).pixels.astype(np.uint16) * 257
    save(here / "deep.png", deep)
    words = (*FAST, "--max-memory", "282.2MiB", "--trimap-in", "trimap.png")
    assert run("photo.png", *words).exit_code == 0
    result = run("deep.png", *words)
    assert result.exit_code == 1
    told = "0.06 megapixels take 0.28 GiB, and --max-memory is 0.28 GiB: raise --max-memory"
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_with_little_memory_networks_see_less_at_once() -> None:
    words = ("--trimap-in", "trimap.png")
    assert report_of(*words)["pictures"][0]["refined"]["way"] == "whole"
    told = report_of(*words, "--max-memory", "306MiB")
    assert told["pictures"][0]["refined"]["way"] == "tiles"
    assert "fallback" not in told["pictures"][0]


def test_one_picture_that_asks_for_too_much_stops_no_other(here: Path) -> None:
    save(here / "small.png", disc(64, 64)[0])
    words = (*FAST, "--tile", "off", "--max-memory", "288MiB", "--k", "3", "-o", "out")
    result = run("photo.png", "small.png", *words)
    assert result.exit_code == 1
    assert "photo.png: a network that sees" in result.stderr
    assert [path.name for path in (here / "out").glob("*.png")] == ["small-matte.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[refiner]\ntile = "160"\n', "tile = '160': give a whole number or 'auto', 'off'"),
        ("[refiner]\ntile = true\n", "tile = True: give a whole number or"),
        ("[refiner]\ntile = 160.0\n", "tile = 160.0: give a whole number or"),
        ("[refiner]\ntile = 65\n", "tile = 65: give a multiple of 32"),
        ("[runtime]\nmax_memory = true\n", "max_memory = True: give an amount of memory"),
        ('[runtime]\nmax_memory = "5 apples"\n', "'5 apples' is not an amount of memory"),
    ],
)
def test_settings_files_are_read_as_strictly(here: Path, text: str, message: str) -> None:
    (here / "bad.toml").write_text(text)
    result = run("photo.png", "--config", "bad.toml")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: bad.toml: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("tile", ["96", '"auto"', '"off"'])
def test_settings_files_name_tiles(here: Path, tile: str) -> None:
    (here / "good.toml").write_text(f'[refiner]\ntile = {tile}\n[runtime]\nmax_memory = "2GiB"\n')
    settings = report_of("--config", "good.toml")["settings"]
    assert (json.dumps(settings["tile"]), settings["max_memory"]) == (tile, "2GiB")
