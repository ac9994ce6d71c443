import pytest

from matte.bench.tables import draw_tables
from tests.bench.reports import report


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
