"""`matte compile`, as far as it goes without a GPU: what it compiles, and its errors."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from matte.configs.loader import merge_settings
from matte.conversion.tensorrt_engines import (
    EngineRequest,
    _requested_shapes,
    compile_weights,
    weights_to_compile,
)
from matte.errors import BackendError
from matte.runtime.engine_shapes import EngineShapes
from matte.weights.store import find_weights
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


def test_without_a_gpu_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)  # as if it were installed
    monkeypatch.setattr("matte.conversion.tensorrt_engines.nvidia_gpus", tuple)
    with pytest.raises(BackendError, match=r"can't be built here \(there is no GPU of NVIDIA's"):
        compile_weights(find_weights("segmenter", "person"), EngineRequest())


def test_a_preset_compiles_all_that_it_runs() -> None:
    def names(preset: str) -> list[str]:
        return [
            weights.path.stem for weights in weights_to_compile((), merge_settings(preset).config)
        ]

    assert names("best") == ["person", "gca-slim", "modnet"]
    assert names("fast")[-1] == "modnet"
    trimap_free = merge_settings("best", flags={"modnet": "modnet"}).config
    assert [w.path.stem for w in weights_to_compile(("person",), trimap_free)] == [
        "person",
        "modnet",
    ]


def test_shapes_that_are_left_out_fit_those_that_are_asked_for() -> None:
    usual = EngineShapes((1, 64, 64), (1, 1088, 1920), (1, 2048, 2048))
    assert _requested_shapes(EngineRequest(), usual) == usual
    large = _requested_shapes(EngineRequest(largest=(1, 2176, 3840)), usual)
    assert large == EngineShapes((1, 64, 64), (1, 1088, 1920), (1, 2176, 3840))
    small = _requested_shapes(EngineRequest(largest=(1, 512, 512)), usual)
    assert small == EngineShapes((1, 64, 64), (1, 512, 512), (1, 512, 512))
    batch = _requested_shapes(EngineRequest(usual=(4, 2176, 3840)), usual)
    assert batch == EngineShapes((1, 64, 64), (4, 2176, 3840), (4, 2176, 3840))
    only = _requested_shapes(EngineRequest(smallest=(1, 1152, 1152)), usual)
    assert only == EngineShapes((1, 1152, 1152), (1, 1152, 1920), (1, 2048, 2048))
