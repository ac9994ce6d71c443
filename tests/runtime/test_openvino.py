import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from matte.configs.settings import RuntimeSettings
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.openvino import OpenVinoSession
from tests.evaluation.conftest import Write, linear_network
from tests.tiny_networks import half_inside

__all__ = ["linear_network"]


@pytest.mark.skipif(sys.platform != "linux", reason="signals as Linux has them")
def test_the_main_thread_gets_no_stack_for_signals() -> None:
    """OpenVINO frees it with its network: the next Ctrl-C would end in a crash."""
    code = (
        "import ctypes\n"
        "from matte.configs.loader import merge_settings\n"
        "from matte.pipeline.build import build_segmenter\n"
        "class Stack(ctypes.Structure):\n"
        "    _fields_ = [('sp', ctypes.c_void_p), ('flags', ctypes.c_int), ('n', ctypes.c_long)]\n"
        "flags = {'backend': 'openvino', 'precision': 'fp32'}\n"
        "session = build_segmenter(merge_settings('fast', flags=flags).config)\n"
        "stack = Stack()\n"
        "ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))\n"
        "print('none' if stack.flags & 2 else 'one')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "none\n"), done.stderr


def session(network: NetworkSource) -> OpenVinoSession:
    settings = RuntimeSettings(backend="openvino", threads=1)
    return OpenVinoSession(network, Execution("openvino"), settings)


def answer(network: NetworkSource) -> float:
    picture = np.full((1, 3, 4, 4), 0.5, np.float32)
    return float(next(iter(session(network).run({"image": picture}).values()))[0, 0, 0, 0])


def blobs(home: Path) -> list[Path]:
    return sorted((home / "cache" / "openvino").glob("*/*.blob"))


def test_a_damaged_blob_changes_no_pixel(
    linear_network: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    network = NetworkSource(linear_network("own", [[1.0, 2.0, 0.5]], [0.25]))
    assert answer(network) == pytest.approx(2.0)
    (blob,) = blobs(tmp_path)
    whole = blob.read_bytes()
    weight = whole.index(np.float32(2.0).tobytes())
    blob.write_bytes(whole[:weight] + np.float32(-7.0).tobytes() + whole[weight + 4 :])
    assert answer(network) == pytest.approx(2.0)
    assert answer(network) == pytest.approx(2.0)


def test_other_external_data_is_another_network(
    linear_network: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    path = linear_network("own", [[1.0, 2.0, 0.5]], [0.25])
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="own.data", size_threshold=0)
    data, facts = tmp_path / "own.data", path.stat()
    assert answer(NetworkSource(path)) == pytest.approx(2.0)
    data.write_bytes(
        data.read_bytes().replace(np.float32(2.0).tobytes(), np.float32(1.0).tobytes())
    )
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert answer(NetworkSource(path)) == pytest.approx(1.5)


def test_a_blob_that_gives_other_results_is_compiled_anew(
    linear_network: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a disk that was full when OpenVINO wrote it: it was sealed as it is."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    network = NetworkSource(linear_network("own", [[1.0, 2.0, 0.5]], [0.25]))
    answer(network)
    (blob,) = blobs(tmp_path)
    seal = Path(f"{blob}.seal")
    told = json.loads(seal.read_text())
    seal.write_text(json.dumps({**told, "sample": [value + 1 for value in told["sample"]]}))
    assert answer(network) == pytest.approx(2.0)
    assert blobs(tmp_path) == []
    answer(network)
    answer(network)
    assert "sample" not in json.loads(seal.read_text()), "compared once"


def test_a_network_has_the_names_of_its_file(tmp_path: Path) -> None:
    """OpenVINO knows what a cast gives by two names, and other runtimes by the file's only."""
    network = half_inside(tmp_path / "half.onnx")
    opened = session(NetworkSource(network))
    assert opened.inputs == {"input": (1, 3, 8, 8)}
    found = opened.run({"input": np.ones((1, 3, 8, 8), np.float32)})
    assert found["output"] == pytest.approx(0.75)
