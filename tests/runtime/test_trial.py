"""Strangers' networks are tried in a child process: the hostile ones in a real child."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, WeightsError
from matte.limits import ChildResult
from matte.onnx_files import network_digest
from matte.runtime.execution import NetworkSource
from matte.runtime.trial import ensure_tried
from matte.weights.store import all_weights, find_weights
from tests.evaluation.conftest import Write, linear_network
from tests.hostile_networks import endless_loop, huge_expansion, nested_ifs

__all__ = ["linear_network"]
SETTINGS = RuntimeSettings(backend="onnx")
NETWORK = NetworkSource(all_weights()["person-light"].path, "0123", is_stranger=True)
PASSED = json.dumps({"backend": "onnx", "peak_bytes": 500 << 20})

Answer = Callable[[ChildResult | OSError], list[Path]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answer:
    """Lets a child answer so, and returns what was tried."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    tried: list[Path] = []

    def let(result: ChildResult | OSError) -> list[Path]:
        def run(_function: str, arguments: list[str], *_: int) -> ChildResult:
            tried.append(Path(arguments[0]))
            if isinstance(result, OSError):
                raise result
            return result

        monkeypatch.setattr("matte.runtime.trial.run_child", run)
        return tried

    return let


def stranger(path: Path) -> NetworkSource:
    return NetworkSource(path, network_digest(path), is_stranger=True)


def test_what_passes_is_tried_once(answer: Answer) -> None:
    tried = answer(ChildResult([PASSED, "a runtime's own line"], has_ended=True))
    for _ in range(3):
        ensure_tried(NETWORK, SETTINGS)
    assert len(tried) == 1
    ensure_tried(NETWORK, RuntimeSettings(backend="openvino"))
    assert len(tried) == 2, "another runtime may never end"
    ensure_tried(replace(NETWORK, digest="4567"), SETTINGS)
    assert len(tried) == 3


def test_known_networks_are_not_tried(answer: Answer, tmp_path: Path) -> None:
    tried = answer(OSError("never"))
    copied = tmp_path / "copy.onnx"
    copied.write_bytes(NETWORK.path.read_bytes())
    assert not find_weights("segmenter", "person-light").is_stranger
    assert not find_weights("segmenter", str(copied)).is_stranger, "its hash is in a manifest"
    ensure_tried(replace(NETWORK, is_stranger=False), SETTINGS)
    assert tried == []


def test_a_memory_limit_counts_what_the_network_took(answer: Answer) -> None:
    answer(ChildResult([PASSED], has_ended=True))
    for _ in range(2):
        with pytest.raises(WeightsError, match=r"takes 0\.49 GiB, and --max-memory is 0\.39 GiB"):
            ensure_tried(NETWORK, replace(SETTINGS, max_memory=400 << 20))
    ensure_tried(NETWORK, replace(SETTINGS, max_memory=600 << 20))


@pytest.mark.parametrize("memo", ["[]", "3", '{"peak_bytes": "many"}', '{"peak_bytes": -1}', "["])
def test_what_is_no_record_is_tried_again(answer: Answer, tmp_path: Path, memo: str) -> None:
    tried = answer(ChildResult([PASSED], has_ended=True))
    ensure_tried(NETWORK, SETTINGS)
    (record,) = (tmp_path / "cache" / "trials").iterdir()
    record.write_text(memo)
    ensure_tried(NETWORK, SETTINGS)
    ensure_tried(NETWORK, SETTINGS)
    assert len(tried) == 2


FAILED = json.dumps({"backend": "onnx", "cause": "no such operator", "remedy": "export it"})


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (ChildResult([], has_ended=False, is_late=True), "does not end: it was tried for 12 s"),
        (ChildResult([], has_ended=False), "crashes when it is opened or run"),
        (ChildResult(['{"memory": true}'], has_ended=True), "takes over .* to be opened and run"),
        (ChildResult([FAILED], has_ended=True), "no such operator: export it"),
    ],
)
def test_what_fails_is_one_line_and_is_not_remembered(
    answer: Answer, result: ChildResult, message: str
) -> None:
    tried = answer(result)
    for _ in range(2):
        with pytest.raises(WeightsError, match=message) as caught:
            ensure_tried(NETWORK, SETTINGS)
        assert "\n" not in str(caught.value)
    assert len(tried) == 2


def test_a_child_that_can_not_be_started_is_said(answer: Answer) -> None:
    answer(OSError(11, "Resource temporarily unavailable"))
    with pytest.raises(BackendError, match=r"can't start a process .* \(Resource temporarily"):
        ensure_tried(NETWORK, SETTINGS)


def test_a_network_passes_in_a_real_child(
    linear_network: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "matte.py").write_text("raise SystemExit(3)")
    ensure_tried(stranger(linear_network("own", [[1.0, 0, 0]], [0.0])), SETTINGS)
    (record,) = (tmp_path / "cache" / "trials").iterdir()
    assert 30 << 20 < json.loads(record.read_bytes())["peak_bytes"] < 1 << 30


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
def test_hostile_networks_end_in_a_real_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    monkeypatch.setattr("matte.limits.MIN_TRIAL_SECONDS", 2)
    little = replace(SETTINGS, max_memory=600 << 20)
    with pytest.raises(WeightsError, match="does not end: it was tried for 2 s"):
        ensure_tried(stranger(endless_loop(tmp_path / "loop.onnx")), little)
    with pytest.raises(WeightsError, match=r"takes over 0\.59 GiB"):
        ensure_tried(stranger(huge_expansion(tmp_path / "huge.onnx")), little)


def test_ifs_in_ifs_are_refused_by_reading(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is not a whole ONNX file"):
        network_digest(nested_ifs(tmp_path / "ifs.onnx", 25))
