"""How far an engine may be from its reference."""

import pytest

from matte.errors import BackendError
from matte.runtime.engine_parity import (
    ENGINE_TOLERANCES,
    EngineDifference,
    check_engine_differences,
    engine_difference,
)
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.opener import open_onnx_file
from matte.weights.store import find_weights

WAY = Execution("tensorrt", "gpu:0", "fp16")


@pytest.mark.parametrize("name", ["person-light", "gca-slim", "modnet"])
def test_a_session_is_no_way_from_itself_on_the_portrait(name: str) -> None:
    kind = {"person-light": "segmenter", "gca-slim": "refiner", "modnet": "modnet"}[name]
    path = find_weights(kind, name).path
    one, other = open_onnx_file(path), open_onnx_file(path, "openvino")
    given = portrait_inputs(one.inputs, 2, 256, 224)
    assert set(given) == set(one.inputs)
    (values,) = one.run(given).values()
    assert values.max() > 0.5 > values.min(), "the portrait is to be seen"
    same = engine_difference(one, one, (2, 256, 224))
    assert (same.size, same.largest, same.mean) == ((2, 256, 224), 0, 0)
    assert 0 < engine_difference(one, other, (2, 256, 224)).largest < 1e-4


@pytest.mark.parametrize("found", [(0.011, 1e-6), (0.001, 0.0011), (float("nan"), 0.0)])
def test_what_is_too_far_is_refused(found: tuple[float, float], network: NetworkSource) -> None:
    with pytest.raises(BackendError, match=r"in fp16 differs by .* at 1x96x128 and is not inst"):
        check_engine_differences(
            network, WAY, (EngineDifference((1, 96, 128), *found),), ENGINE_TOLERANCES["fp16"]
        )
    check_engine_differences(
        network, WAY, (EngineDifference((1, 96, 128), 0.009, 0.0009),), ENGINE_TOLERANCES["fp16"]
    )
