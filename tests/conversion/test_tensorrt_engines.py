"""Which engines are compiled, and for which sizes; none is built here."""

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

    assert names("best") == ["subject", "gca-slim", "modnet"]
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
