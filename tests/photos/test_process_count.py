"""How many processes there are, and what each may take."""

import pytest

from matte.configs.loader import MergedSettings, merge_settings
from matte.configs.run_settings import RuntimeSettings
from matte.errors import SettingError
from matte.limits import GIB
from matte.photos import process_count
from matte.photos.process_count import executions_for_processes, settings_per_process
from matte.pipeline.executions import Executions
from matte.runtime.execution import Execution


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 8),
        ({"threads": 3}, 3),
        ({"max_memory": 4 * GIB}, 2),
        ({"max_memory": GIB}, 1),
        ({"device": "gpu"}, 1),
    ],
)
def test_there_are_as_many_as_threads_and_memory_allow(
    settings: dict[str, object], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_count, "usable_threads", lambda: 8)
    monkeypatch.setattr(process_count, "nvidia_gpus", tuple)
    monkeypatch.setattr("matte.runtime.memory.available_bytes", lambda: 64 * GIB)
    runtime = RuntimeSettings(**settings)  # type: ignore[arg-type]  # a row of the table
    assert process_count.process_count("auto", runtime) == expected
    assert process_count.process_count(5, runtime) == 5
    monkeypatch.setattr(process_count, "nvidia_gpus", lambda: ("a GPU",))
    assert process_count.process_count("auto", runtime) == 1
    assert process_count.process_count("auto", RuntimeSettings(device="cpu")) == 8


def test_threads_and_memory_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_count, "usable_threads", lambda: 8)
    each = settings_per_process(merge_settings(flags={"max_memory": "4GiB"}), 3).config.runtime
    assert each.threads == 2
    assert each.max_memory == 4 * GIB // 3
    assert settings_per_process(merge_settings(), 16).config.runtime.threads == 1
    assert settings_per_process(merge_settings(), 2).config.runtime.max_memory is None
    with pytest.raises(SettingError, match=r"leaves 0\.25 GiB to each of 4 processes: give fewer"):
        settings_per_process(merge_settings(flags={"max_memory": "1GiB"}), 4)


def test_processes_run_the_networks_as_one_does_that_has_all_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[MergedSettings] = []

    def choose(merged: MergedSettings, has_clips: bool) -> Executions:
        asked.append(merged)
        return {"segmenter person": Execution("onnx")}

    monkeypatch.setattr(process_count, "choose_executions", choose)
    settings = merge_settings("fast", flags={"threads": 6, "max_memory": 4 * GIB})
    assert executions_for_processes(settings, 3) == {"segmenter person": Execution("onnx")}
    (found,) = asked
    assert (found.config.runtime.threads, found.config.runtime.max_memory) == (6, 4 * GIB // 3)
