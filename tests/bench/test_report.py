import json

import numpy as np
import pytest

from matte.bench.plot import OUR_COLOUR, STAGE_COLOURS, THEIR_COLOUR, draw_plot
from matte.bench.tables import draw_tables
from tests.bench.reports import report


def test_the_fastest_is_one_that_is_right() -> None:
    (measured,) = report().sizes
    assert measured.fastest is not None
    assert measured.fastest.name == "auto"
    assert measured.fastest.fps == 10


def test_json_tells_everything() -> None:
    told = json.loads(json.dumps(report().as_json(), allow_nan=False))
    assert told["auto"]["segmenter"]["why"].startswith("the fastest here")
    assert told["peers"] == {"rembg": "2.0.86", "slow": ""}
    (size,) = told["sizes"]
    assert (size["size"], size["width"], size["height"]) == ("720p", 1280, 720)
    assert size["fastest"] == "auto"
    auto, _, wrong, broken = size["runtimes"]
    assert auto["stages_ms"]["refine"] == {"median": 80, "q1": 80, "q3": 80, "runs": 1}
    assert auto["cold"]["seconds"]["median"] == 0.8
    assert wrong["fps"] is None
    assert broken["total_ms"] is None
    ours, theirs, slow = size["processes"]
    assert ours["ratio"] == {"matte image": None, "rembg": 0.4, "slow": None}
    assert theirs["ratio"]["matte image"] == 2.5
    assert theirs["note"] == "random weights"
    assert slow["error"] == "slow took over 900 seconds"


def test_tables() -> None:
    lines = draw_tables(report()).splitlines()
    assert lines[0] == "a.jpg, preset balanced; a processor, 2 threads"
    assert "720p: 1280×720, fastest: auto, 10.0 pictures/s" in lines
    cells = {line.split("  ")[0]: line.split() for line in lines}
    assert cells["auto"][1:5] == ["20.0", "±0.0", "80.0", "±0.0"]
    assert "0.90" in cells["openvino cpu fp32"]
    assert cells["matte image"][2:] == ["0.80", "±0.00", "300", "–", "0.40"]
    assert cells["rembg (random weights)"][3:] == ["2.00", "±0.00", "300", "2.50", "–"]
    assert "onnx cpu fp32: wrong: alpha is 0.3 from openvino cpu fp32's" in lines
    assert "torch cpu fp32: torch failed" in lines
    assert "slow: slow took over 900 seconds" in lines
    assert "auto, segmenter person: openvino cpu bf16, the fastest here (…)" in lines


@pytest.mark.parametrize("columns", [60, 120])
def test_tables_fit_the_terminal(columns: int) -> None:
    table = draw_tables(report(), columns).split("\n\n")[1].split("onnx cpu fp32: ")[0]
    assert max(map(len, table.splitlines())) <= columns


def test_bars_are_as_long_as_what_they_tell() -> None:
    plot = draw_plot(report())
    assert plot.dtype == np.uint8
    height, width = plot.shape[:2]
    assert (width, 400 < height < 900) == (1600, True)

    def area(colour: tuple[int, int, int]) -> int:
        return int((plot == colour).all(axis=2).sum())

    legend = 18 * 18
    refine, segment = (area(STAGE_COLOURS[name]) - legend for name in ("refine", "segment"))
    assert refine / segment == pytest.approx(4, rel=0.05)  # of two contestants; no others count
    assert area(THEIR_COLOUR) / area(OUR_COLOUR) == pytest.approx(2.5, rel=0.05)
