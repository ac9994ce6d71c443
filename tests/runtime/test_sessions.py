"""What every runtime keeps, on a network that is shipped."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from onnx import TensorProto, helper

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, SettingError, WeightsError
from matte.runtime.openvino import has_bf16
from matte.runtime.session import BACKENDS, PACKAGES, open_session, usable_threads
from matte.weights.store import find
from tests.conftest import SAMPLE
from tests.tolerances import BF16, BF16_MEAN, RUNTIMES

NETWORK = find("segmenter", "person-light").path


def settings(backend: str) -> RuntimeSettings:
    return RuntimeSettings(backend=backend)  # type: ignore[arg-type]  # drawn from the table


@pytest.fixture(scope="module")
def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    coarse = np.random.default_rng(2).random((1, 3, 6, 10), np.float32)
    return coarse.repeat(16, axis=2).repeat(16, axis=3)


def test_backends_agree(picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    results = [
        open_session(NETWORK, settings(backend)).run({"image": picture})["mask"]
        for backend in BACKENDS
    ]
    for other in results[1:]:
        assert np.abs(other - results[0]).max() < RUNTIMES


@pytest.mark.parametrize("backend", BACKENDS)
class TestSession:
    def test_tells_its_inputs_and_what_the_file_holds(self, backend: str) -> None:
        session = open_session(NETWORK, settings(backend))
        assert session.backend == backend
        assert session.inputs == {"image": (None, 3, None, None)}
        assert session.metadata()["matte.kind"] == "segmenter"

    @pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 3, 64, 320), (2, 3, 96, 64)])
    def test_sizes_and_batches_are_free(self, backend: str, shape: tuple[int, ...]) -> None:
        out = open_session(NETWORK, settings(backend)).run({"image": np.zeros(shape, np.float32)})
        assert out["mask"].shape == (shape[0], 1, *shape[2:])
        assert out["mask"].dtype == np.float32

    def test_threads_may_share_it(
        self, backend: str, picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    ) -> None:
        session = open_session(NETWORK, settings(backend))
        alone = session.run({"image": picture})["mask"]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda _: session.run({"image": picture})["mask"], range(8)))
        assert all(np.array_equal(result, alone) for result in together)

    def test_a_damaged_file_is_named(self, backend: str, tmp_path: Path) -> None:
        half = tmp_path / "half.onnx"
        half.write_bytes(NETWORK.read_bytes()[:100_000])
        with pytest.raises(WeightsError, match=r"half\.onnx \(.*: give a whole ONNX file"):
            open_session(half, settings(backend))

    def test_a_wrong_input_is_the_backends_error(self, backend: str) -> None:
        with pytest.raises(BackendError, match="failed"):
            open_session(NETWORK, settings(backend)).run({"imge": np.zeros((1, 3, 32, 32))})

    def test_one_that_is_not_installed_is_said(
        self, backend: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(PACKAGES, backend, "no_such_package")
        with pytest.raises(BackendError, match="not installed: pip install no_such_package"):
            open_session(NETWORK, settings(backend))


def test_auto_takes_the_first_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_session(NETWORK, RuntimeSettings()).backend == "openvino"
    monkeypatch.setitem(PACKAGES, "openvino", "no_such_package")
    assert open_session(NETWORK, RuntimeSettings()).backend == "onnx"
    monkeypatch.setitem(PACKAGES, "onnx", "no_such_package")
    with pytest.raises(BackendError, match="no inference runtime"):
        open_session(NETWORK, RuntimeSettings())


def test_bf16_is_taken_where_network_and_processor_allow_it(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    auto, exact = RuntimeSettings(), RuntimeSettings(precision="fp32")
    assert open_session(NETWORK, auto).precision == "fp32", "nobody measured it"
    assert open_session(NETWORK, exact, bf16=True).precision == "fp32"
    session = open_session(NETWORK, auto, bf16=True)
    assert session.precision == ("bf16" if has_bf16() else "fp32")
    out, expected = (s.run({"image": picture}) for s in (session, open_session(NETWORK, exact)))
    apart = np.abs(out["mask"] - expected["mask"])
    assert (apart.max() > 0) == has_bf16()
    assert apart.max() < BF16
    assert apart.mean() < BF16_MEAN


@pytest.mark.parametrize("there", [True, False])
def test_bf16_by_name_is_had_or_refused(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matte.runtime.openvino.has_bf16", lambda: there)
    asked = RuntimeSettings(precision="bf16")
    with pytest.raises(BackendError, match="backend 'onnx' has no bf16 here: use --backend openv"):
        open_session(NETWORK, RuntimeSettings(backend="onnx", precision="bf16"))
    if there:
        assert open_session(NETWORK, asked).precision == "bf16"
    else:
        with pytest.raises(BackendError, match="'openvino' has no bf16 here"):
            open_session(NETWORK, asked)


def test_every_backend_can_be_asked_for() -> None:
    hints = RuntimeSettings.__annotations__["backend"]
    assert set(get_args(hints)) == {"auto", "torch", *BACKENDS}
    assert usable_threads() >= 1
    with pytest.raises(SettingError):
        RuntimeSettings(threads=-1)


def test_a_folder_that_can_hold_no_cache_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "file"))
    out = open_session(NETWORK, settings("openvino")).run({"image": np.zeros((1, 3, 32, 32), "f")})
    assert np.isfinite(out["mask"]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_file_of_the_same_name_size_and_time_is_another_network(
    backend: str, tmp_path: Path
) -> None:
    def write(bias: float) -> Path:
        nodes = [helper.make_node("Add", ["image", "bias"], ["mask"])]
        shape: list[str | int | None] = ["n", 3, "h", "w"]
        graph = helper.make_graph(
            nodes,
            "add",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("mask", TensorProto.FLOAT, shape)],
            [helper.make_tensor("bias", TensorProto.FLOAT, [1], [bias])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        path = tmp_path / "net.onnx"
        path.write_bytes(model.SerializeToString())
        os.utime(path, (1, 1))
        return path

    zeros = np.zeros((1, 3, 4, 4), np.float32)
    for bias in (1.0, 2.0):
        out = open_session(write(bias), settings(backend)).run({"image": zeros})["mask"]
        assert (out == bias).all()


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "def no_net(event, args):\n"
        "    assert not event.startswith('socket.'), (event, args)\n"
        "sys.addaudithook(no_net)\n"
        "import matte\n"
        "matte.load()(sys.argv[1])\n"
        "assert 'openvino_telemetry.main' not in sys.modules"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, str(SAMPLE)], check=True, env=environment)
    assert list(tmp_path.iterdir()) == []
