"""What every runtime keeps, on a network that is shipped."""

import locale
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from onnx import TensorProto, helper

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteError, WeightsError
from matte.runtime.backends import BACKEND_PACKAGES
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.opener import open_onnx_file, open_session
from matte.runtime.openvino import OpenVinoSession, has_bf16
from matte.runtime.processor import ProcessorAbilities
from matte.weights.store import find_weights
from tests.conftest import SAMPLE, SetAbilities
from tests.evaluation.conftest import Write, linear_network
from tests.tolerances import BF16, BF16_MEAN, RUNTIMES

__all__ = ["linear_network"]

Backend = Literal["onnx", "openvino"]
PATH = find_weights("segmenter", "person-light").path
NETWORK = NetworkSource(PATH)
BACKENDS: tuple[Backend, ...] = ("onnx", "openvino")


def settings(backend: Backend) -> RuntimeSettings:
    return RuntimeSettings(backend=backend)


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
    def test_tells_its_inputs_and_what_the_file_holds(self, backend: Backend) -> None:
        session = open_session(NETWORK, settings(backend))
        assert session.execution.backend == backend
        assert session.inputs == {"image": (None, 3, None, None)}
        assert session.metadata()["matte.kind"] == "segmenter"

    @pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 3, 64, 320), (2, 3, 96, 64)])
    def test_sizes_and_batches_are_free(self, backend: Backend, shape: tuple[int, ...]) -> None:
        out = open_session(NETWORK, settings(backend)).run({"image": np.zeros(shape, np.float32)})
        assert out["mask"].shape == (shape[0], 1, *shape[2:])
        assert out["mask"].dtype == np.float32

    def test_threads_may_share_it(
        self,
        backend: Backend,
        picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    ) -> None:
        session = open_session(NETWORK, settings(backend))
        alone = session.run({"image": picture})["mask"]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda _: session.run({"image": picture})["mask"], range(8)))
        assert all(np.array_equal(result, alone) for result in together)

    def test_a_damaged_file_is_named(self, backend: Backend, tmp_path: Path) -> None:
        half = tmp_path / "half.onnx"
        half.write_bytes(PATH.read_bytes()[:100_000])
        with pytest.raises(WeightsError, match=r"half\.onnx .*: give a"):
            open_session(NetworkSource(half), settings(backend))

    @pytest.mark.parametrize("shape", [(1, 3, 0, 0), (1, 3, 100_000, 100_000)])
    def test_a_size_that_no_picture_has_is_refused(
        self, backend: Backend, shape: tuple[int, ...], linear_network: Write
    ) -> None:
        path = linear_network("odd", [[1.0, 0, 0]], [0.0], shape=shape)
        with pytest.raises(MatteError, match=r"input 'image' is 1×|can't load|not enough"):
            open_session(NetworkSource(path), settings(backend))

    @pytest.mark.parametrize("name", [b"matte.kind", b"segmenter"])
    def test_metadata_that_is_no_text_is_said(
        self, backend: Backend, name: bytes, tmp_path: Path
    ) -> None:
        odd = tmp_path / "odd.onnx"
        odd.write_bytes(PATH.read_bytes().replace(name, b"\xff\xfe" + name[2:]))
        try:
            session = open_session(NetworkSource(odd), settings(backend))
            session.metadata()
        except WeightsError as error:
            assert "are no text" in str(error) or "can't load" in str(error)  # noqa: PT017  # some runtimes load it

    def test_a_wrong_input_is_the_backends_error(self, backend: Backend) -> None:
        with pytest.raises(BackendError, match="failed"):
            open_session(NETWORK, settings(backend)).run({"imge": np.zeros((1, 3, 32, 32))})

    def test_one_that_is_not_installed_is_said(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(BACKEND_PACKAGES, backend, "no_such_package")
        with pytest.raises(BackendError, match="not installed: pip install no_such_package"):
            open_session(NETWORK, settings(backend))


def test_bf16_is_near(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]], set_abilities: SetAbilities
) -> None:
    is_rounded = has_bf16()  # else OpenVINO calculates in float32
    set_abilities(ProcessorAbilities(bf16=True))
    bf16, fp32 = (
        open_session(NETWORK, RuntimeSettings(backend="openvino", precision=precision))
        for precision in ("bf16", "fp32")
    )
    assert (bf16.execution.precision, fp32.execution.precision) == ("bf16", "fp32")
    apart = np.abs(bf16.run({"image": picture})["mask"] - fp32.run({"image": picture})["mask"])
    assert apart.max() < BF16
    assert apart.max() > 0 or not is_rounded
    assert apart.mean() < BF16_MEAN


def test_a_remembered_gpu_that_is_gone_is_said() -> None:
    gone = Execution("openvino", "gpu:99")
    with pytest.raises(BackendError, match="OpenVINO finds no gpu:99: run 'matte doctor', or"):
        OpenVinoSession(NETWORK, gone, RuntimeSettings())


def test_networks_that_are_opened_at_once_leave_the_locale_as_it_is() -> None:
    before = locale.setlocale(locale.LC_ALL)
    for _ in range(3):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: open_onnx_file(PATH, "openvino"), range(4)))
    assert locale.setlocale(locale.LC_ALL) == before


def test_a_folder_that_can_hold_no_cache_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "file"))
    out = open_session(NETWORK, settings("openvino")).run({"image": np.zeros((1, 3, 32, 32), "f")})
    assert np.isfinite(out["mask"]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_file_of_the_same_name_size_and_time_is_another_network(
    backend: Backend, tmp_path: Path
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
        out = open_session(NetworkSource(write(bias)), settings(backend)).run({"image": zeros})[
            "mask"
        ]
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
