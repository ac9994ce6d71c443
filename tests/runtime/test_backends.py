"""What settings and this machine allow."""

from typing import Any, Literal, get_args

import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteWarning, SettingError
from matte.runtime import backends
from matte.runtime.backends import BACKEND_PACKAGES, possible_executions
from matte.runtime.execution import DevicePrecisions, NetworkSource
from matte.runtime.opener import open_session
from matte.runtime.processor import ProcessorAbilities
from matte.weights.store import find_weights
from tests.conftest import SetAbilities

Backend = Literal["onnx", "openvino"]
PATH = find_weights("segmenter", "person-light").path
NETWORK = NetworkSource(PATH)
BACKENDS: tuple[Backend, ...] = ("onnx", "openvino")


def settings(backend: Backend) -> RuntimeSettings:
    return RuntimeSettings(backend=backend)


def executions(network: NetworkSource, **asked: Any) -> list[str]:
    return [str(execution) for execution in possible_executions(network, RuntimeSettings(**asked))]


def test_what_is_there_and_trusted_is_possible(
    monkeypatch: pytest.MonkeyPatch, set_abilities: SetAbilities
) -> None:
    set_abilities(ProcessorAbilities(bf16=True))
    good = NetworkSource(PATH, accurate_precisions=("bf16",))
    assert executions(NETWORK) == ["openvino cpu fp32", "onnx cpu fp32"], "nobody measured bf16"
    assert executions(good) == ["openvino cpu bf16", "openvino cpu fp32", "onnx cpu fp32"]
    assert executions(good, precision="fp32") == ["openvino cpu fp32", "onnx cpu fp32"]
    assert executions(NETWORK, precision="bf16") == ["openvino cpu bf16"], "asked for by name"
    set_abilities(ProcessorAbilities())
    assert executions(good) == ["openvino cpu fp32", "onnx cpu fp32"]
    with pytest.raises(BackendError, match="backend 'openvino' has no bf16 here"):
        executions(good, backend="openvino", precision="bf16")
    quantised = NetworkSource(PATH, accurate_precisions=("int8",), int8=PATH)
    assert executions(quantised, backend="onnx") == ["onnx cpu fp32"]
    with pytest.raises(BackendError, match="backend 'onnx' has no int8 here: use --precision auto"):
        executions(quantised, backend="onnx", precision="int8")
    set_abilities(ProcessorAbilities(vnni=True))
    assert executions(quantised, backend="onnx") == ["onnx cpu int8", "onnx cpu fp32"]
    monkeypatch.setitem(BACKEND_PACKAGES, "openvino", "no_such_package")
    assert executions(NETWORK) == ["onnx cpu fp32"]
    for backend in BACKEND_PACKAGES:
        monkeypatch.setitem(BACKEND_PACKAGES, backend, "no_such_package")
    with pytest.raises(BackendError, match="no inference runtime is installed: pip install openv"):
        executions(NETWORK)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"backend": "onnx", "precision": "bf16"}, "backend 'onnx' has no bf16 here: use --prec"),
        ({"precision": "int8"}, "there is no int8 of person-light.onnx: use --precision auto"),
        ({"backend": "torch"}, "person-light.onnx has no torch weights: use --backend onnx"),
        ({"device": "gpu:7"}, "no backend has a gpu:7 here: run 'matte doctor', or use --device"),
        ({"backend": "openvino", "device": "gpu:7"}, "backend 'openvino' has no gpu:7 here"),
    ],
)
def test_what_is_not_there_is_refused_with_the_remedy(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(BackendError, match=said):
        open_session(NETWORK, RuntimeSettings(**asked))


def test_nothing_runs_on_a_cpu_where_a_gpu_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for backend in backends.DEVICE_PRECISIONS:
        monkeypatch.setitem(backends.DEVICE_PRECISIONS, backend, f"{__name__}:cpu_only")
    with pytest.raises(BackendError, match="no backend has a gpu here"):
        open_session(NETWORK, RuntimeSettings(require_gpu=True))
    with pytest.raises(SettingError, match="require_gpu with device = 'cpu': leave one of them"):
        RuntimeSettings(require_gpu=True, device="cpu")


def test_a_runtime_that_is_broken_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backends.DEVICE_PRECISIONS, "openvino", f"{__name__}:broken")
    with pytest.warns(MatteWarning, match="'openvino' can't be loaded \\(DLL load failed\\)"):
        assert executions(NETWORK) == ["onnx cpu fp32"]
    with pytest.raises(BackendError, match="can't be loaded"):
        executions(NETWORK, backend="openvino")


def broken() -> DevicePrecisions:
    raise ImportError("DLL load failed\nwhile importing")


def cpu_only() -> DevicePrecisions:
    return {"cpu": ("fp32",)}


def test_every_backend_can_be_asked_for() -> None:
    hints = RuntimeSettings.__annotations__["backend"]
    assert set(get_args(hints)) == {"auto", *backends.BACKENDS}
    with pytest.raises(SettingError):
        RuntimeSettings(threads=-1)
    with pytest.raises(SettingError, match="device = 'cuda': give auto, cpu, gpu or gpu:1"):
        RuntimeSettings(device="cuda")


def test_openvino_is_left_out_where_it_can_not_compile() -> None:
    little = RuntimeSettings(max_memory=400 << 20)
    assert "openvino" not in {e.backend for e in possible_executions(NETWORK, little)}
    with pytest.raises(BackendError, match=r"takes 0\.88 GiB, and --max-memory is 0\.39 GiB"):
        possible_executions(NETWORK, RuntimeSettings(backend="openvino", max_memory=400 << 20))
