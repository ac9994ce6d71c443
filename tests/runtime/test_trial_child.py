import json
from pathlib import Path

import pytest

from matte.runtime.trial_child import try_network
from tests.evaluation.conftest import Write, linear_network

__all__ = ["linear_network"]


@pytest.mark.parametrize("shape", [(1, 3, "h", "w"), (1, 4, 32, 32), ("n", 3, "h", "h")])
def test_a_network_that_runs_has_taken_memory(
    linear_network: Write, shape: tuple[int | str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    path = linear_network("own", [[1.0] * int(shape[1])], [0.0], shape=shape)
    try_network([str(path), "onnx"])
    row = json.loads(capsys.readouterr().out)
    assert row["backend"] == "onnx"
    assert row["peak_bytes"] > 0
    assert "cause" not in row


def test_an_error_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(b"\x3a\x00")
    try_network([str(path), "onnx", "openvino"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["backend"] for row in rows] == ["onnx", "openvino"]
    assert all("half.onnx" in row["cause"] and not row["memory"] for row in rows)
