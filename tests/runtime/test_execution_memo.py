"""The fastest execution of a network, written down and read again."""

from pathlib import Path

import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import (
    can_remember,
    forget_execution,
    memo_file,
    remember_execution,
    remembered_execution,
)

NETWORK = NetworkSource(Path("network.onnx"), "0123")
SETTINGS = RuntimeSettings()
BEST = Execution("onnx", why="the fastest here")


def test_what_is_remembered_comes_back_until_it_is_forgotten(own_home: Path) -> None:
    assert remembered_execution(NETWORK, SETTINGS) is None
    assert can_remember(NETWORK, SETTINGS)
    failed = {Execution("openvino"): BackendError("no driver", "install it")}
    remember_execution(NETWORK, SETTINGS, BEST, failed)
    found = remembered_execution(NETWORK, SETTINGS)
    assert found == BEST
    assert found is not None
    assert found.why == BEST.why
    forget_execution(NETWORK, SETTINGS)
    assert remembered_execution(NETWORK, SETTINGS) is None


def test_other_settings_networks_and_machines_have_files_of_their_own(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = memo_file(NETWORK, SETTINGS)
    others = [
        memo_file(NETWORK, RuntimeSettings(precision="fp32")),
        memo_file(NETWORK, RuntimeSettings(threads=999)),
        memo_file(NetworkSource(Path("network.onnx"), "4567"), SETTINGS),
    ]
    monkeypatch.setattr("matte.runtime.execution_memo.processor_name", lambda: "another")
    assert own not in [*others, memo_file(NETWORK, SETTINGS)]


def test_a_network_without_a_digest_is_not_remembered(own_home: Path) -> None:
    assert not can_remember(NetworkSource(Path("network.onnx")), SETTINGS)


@pytest.mark.parametrize(
    "memo",
    [
        "[]",
        "3",
        "null",
        '{"way": []}',
        '{"way": {"backend": 5}}',
        '{"way": {"backend": ["onnx"]}}',
        '{"way": {"backend": "onnx", "device": 7}}',
        '{"way": {"backend": "onnx", "precision": "fp7"}}',
        '{"way": {"backend": "onnx", "precision": "int8"}}',
        '{"way": {"backend": "none"}}',
        '{"way": {"backend": "onnx", "device": "gpu:3"}}',
        '{"way": {"backend": "onnx", "why": null}}',
        "[" * 99_999,
    ],
)
def test_what_is_no_execution_of_the_network_is_ignored(own_home: Path, memo: str) -> None:
    remember_execution(NETWORK, SETTINGS, BEST, {})
    memo_file(NETWORK, SETTINGS).write_text(memo)
    assert remembered_execution(NETWORK, SETTINGS) is None
    remember_execution(NETWORK, SETTINGS, BEST, {})
    assert remembered_execution(NETWORK, SETTINGS) == BEST
