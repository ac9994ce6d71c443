"""`matte compile`, as far as it goes without a GPU: what it compiles, and its errors."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.commands import run

NO_TENSORRT = pytest.mark.skipif(find_spec("tensorrt") is not None, reason="TensorRT is here")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["persn"], "no network 'persn': did you mean 'person'"),
        (["person", "--max", "640"], "the size '640': give HEIGHTxWIDTH or BATCHxHEIGHTxWIDTH"),
        (["person", "--device", "gpu:x"], "device = 'gpu:x': give auto, cpu, gpu or gpu:1"),
        (["person", "--device", "cuda:1"], "device = 'cuda:1': give auto, cpu, gpu or gpu:1"),
        (["person", "--device", "cpu"], "device = 'cpu': give gpu or gpu:1: engines are for"),
        (["--preset", "quick"], "no preset 'quick'"),
        (["--precision", "fp16"], "nothing to compile: name networks, or a --preset"),
        (
            ["person", "--via", "torch2trt", "--precision", "fp16"],
            "torch2trt can't keep in fp32 what fp16 would spoil: use --via onnx, or --precision",
        ),
    ],
)
def test_mistakes_get_one_line(words: list[str], message: str) -> None:
    result = run("compile", *words)
    assert result.exit_code in (1, 2)
    assert result.stderr.startswith(f"Error: {message}"), result.stderr
    assert result.stderr.count("\n") == 1


@NO_TENSORRT
@pytest.mark.parametrize("words", [["person"], ["person", "--via", "torch2trt"]])
def test_without_tensorrt_the_remedy_is_said(words: list[str]) -> None:
    result = run("compile", *words)
    assert result.exit_code == 1
    assert (
        result.stderr
        == "Error: TensorRT is not installed: run pip install '.[tensorrt]' in matte's checkout\n"
    )


@NO_TENSORRT
def test_a_picture_on_tensorrt_says_so_too(sample: Path, tmp_path: Path) -> None:
    result = run("image", str(sample), "--backend", "tensorrt", "-o", str(tmp_path / "out.png"))
    assert result.exit_code == 1
    assert (
        "backend 'tensorrt' is not installed: run pip install '.[tensorrt]' in matte's checkout"
        in result.stderr
    )
