"""Which way is taken, and that it is remembered."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.configs.places import cache_folder
from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteWarning
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import forget_execution, remembered_execution
from matte.runtime.fastest import open_fastest
from matte.runtime.opener import open_session
from matte.watching import TRYING_STAGE, watched_by
from matte.weights.store import find_weights

EXACT, HALF, OTHER = (
    Execution("openvino"),
    Execution("openvino", precision="bf16"),
    Execution("onnx"),
)
NETWORK = NetworkSource(Path("network.onnx"), "0123", accurate_precisions=("bf16",))
SETTINGS = RuntimeSettings()


class Doubling:
    """A network that takes its time, and may be wrong by `error`."""

    def __init__(self, execution: Execution, seconds: float, error: float = 0) -> None:
        self.execution, self._seconds, self._error = execution, seconds, error
        self.inputs: dict[str, tuple[int | None, ...]] = {"image": (None, 3, None, None)}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        time.sleep(self._seconds)
        return {"mask": np.asarray(2 * inputs["image"] + self._error, np.float32)}

    def metadata(self) -> dict[str, str]:
        return {"matte.size": "32"}


def opener(**sessions: tuple[float, float] | Exception) -> Callable[[Execution], Doubling]:
    """Opens sessions that take so many seconds and are wrong by so much, or fail."""

    def open_one(execution: Execution) -> Doubling:
        what = sessions[f"{execution.backend}_{execution.precision}"]
        if isinstance(what, Exception):
            raise what
        return Doubling(execution, *what)

    return open_one


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "home"))


def chosen(executions: list[Execution], **sessions: tuple[float, float] | Exception) -> Execution:
    return open_fastest(NETWORK, executions, SETTINGS, opener(**sessions)).execution


def test_the_fastest_is_taken_and_remembered() -> None:
    assert remembered_execution(NETWORK, SETTINGS) is None
    executions = [HALF, EXACT, OTHER]
    sessions = {"openvino_bf16": (0.02, 0.0), "openvino_fp32": (0.04, 0.0), "onnx_fp32": (0.0, 0.0)}
    assert chosen(executions, **sessions) == OTHER
    remembered = remembered_execution(NETWORK, SETTINGS)
    assert remembered == OTHER
    assert remembered is not None
    assert remembered.why.startswith("the fastest here (openvino cpu bf16 ")
    assert remembered_execution(NETWORK, RuntimeSettings(threads=1)) is None
    assert remembered_execution(NETWORK, RuntimeSettings(precision="fp32")) is None
    assert remembered_execution(NetworkSource(Path("network.onnx"), "4567"), SETTINGS) is None
    forget_execution(NETWORK, SETTINGS)
    assert remembered_execution(NETWORK, SETTINGS) is None


def test_whoever_watches_is_told_that_executions_are_tried() -> None:
    stages: list[str] = []
    sessions = {"openvino_fp32": (0.0, 0.0), "onnx_fp32": (0.0, 0.0)}
    with watched_by(lambda stage, done: stages.append(stage)):
        chosen([EXACT, OTHER], **sessions)
    assert stages == [TRYING_STAGE]


def test_a_little_faster_is_not_enough() -> None:
    sessions = {"openvino_bf16": (0.02, 0.0), "openvino_fp32": (0.0185, 0.0)}
    execution = chosen([HALF, EXACT], **sessions)
    assert execution == HALF
    assert execution.why.startswith("none is clearly faster here (openvino cpu bf16 ")


@pytest.mark.parametrize("error", [1.0, np.nan])
def test_what_gives_something_else_is_not_taken(error: float) -> None:
    sessions = {"openvino_bf16": (0.0, error), "openvino_fp32": (0.01, 0.0)}
    with pytest.warns(MatteWarning, match="bf16 is left out: its results are not those of open"):
        assert chosen([HALF, EXACT], **sessions) == EXACT
    sessions = {"openvino_fp32": (0.01, 0.0), "onnx_fp32": (0.0, error)}
    with pytest.warns(MatteWarning, match="onnx cpu fp32 is left out"):
        assert chosen([EXACT, OTHER], **sessions) == EXACT


def test_what_can_not_be_opened_is_no_candidate() -> None:
    broken = BackendError("no driver", "install it")
    with pytest.warns(MatteWarning, match="openvino cpu fp32 is left out: no driver: install it"):
        assert chosen([EXACT, OTHER], openvino_fp32=broken, onnx_fp32=(0.0, 0.0)) == OTHER
    (file,) = (cache_folder() / "choices").iterdir()
    assert json.loads(file.read_text())["failed"] == {str(EXACT): "no driver: install it"}
    with pytest.raises(BackendError, match="no driver"):
        chosen([EXACT], openvino_fp32=broken)


def test_a_way_that_fails_later_is_left_out_too() -> None:
    class Tired(Doubling):
        def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
            self._seconds += 1
            if self._seconds > 1:
                raise BackendError("out of memory", "use less")
            return super().run({"image": 0 * inputs["image"]}) | super().run(inputs)

    def open_one(execution: Execution) -> Doubling:
        return Tired(execution, 0) if execution == EXACT else Doubling(execution, 0)

    with pytest.warns(MatteWarning, match="openvino cpu fp32 is left out: out of memory"):
        assert open_fastest(NETWORK, [EXACT, OTHER], SETTINGS, open_one).execution == OTHER


def test_a_cpus_word_counts_before_a_gpus() -> None:
    gpu = Execution("onnx", "gpu:0")
    sessions = {"gpu:0": Doubling(gpu, 0, 1.0), "cpu": Doubling(EXACT, 0)}
    with pytest.warns(MatteWarning, match="results are not those of openvino cpu fp32"):
        found = open_fastest(
            NETWORK, [gpu, EXACT], SETTINGS, lambda execution: sessions[execution.device]
        )
    assert found.execution == EXACT


@pytest.mark.parametrize("shape", [(1, 6, None, None), (1, 64, 64, 3), (4, 3, 64, 64), (1, 7)])
def test_networks_that_take_no_pictures_are_opened_untried(shape: tuple[int | None, ...]) -> None:
    def open_one(execution: Execution) -> Doubling:
        session = Doubling(execution, 0)
        session.inputs = {"input": shape}
        return session

    execution = open_fastest(NETWORK, [EXACT, OTHER], SETTINGS, open_one).execution
    assert execution == EXACT
    assert execution.why.startswith("untried")


def test_where_nothing_can_be_remembered_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "file"))
    assert chosen([HALF, EXACT], openvino_bf16=(0.0, 0.0)) == HALF
    broken = BackendError("no driver", "install it")
    with pytest.warns(MatteWarning, match="openvino cpu bf16 is left out: no driver"):
        assert chosen([HALF, EXACT], openvino_bf16=broken, openvino_fp32=(0.0, 0.0)) == EXACT
    with pytest.raises(BackendError, match="no driver"):
        chosen([HALF], openvino_bf16=broken)


def test_a_choice_that_fails_or_is_garbled_is_made_again() -> None:
    weights = find_weights("segmenter", "person-light")
    network = NetworkSource(weights.path, weights.sha256)
    first = open_session(network, SETTINGS)
    (file,) = (cache_folder() / "choices").iterdir()
    told = json.loads(file.read_text())
    assert Execution(**told["way"]) == first.execution
    told["way"]["backend"] = "gone"
    file.write_text(json.dumps(told))
    assert open_session(network, SETTINGS).execution.backend in ("openvino", "onnx")
    file.write_text("{")
    assert open_session(network, SETTINGS).execution.why.endswith(" ms)")
    assert json.loads(file.read_text())["way"]["backend"] in ("openvino", "onnx")
