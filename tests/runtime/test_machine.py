from pathlib import Path

import numpy
import pytest

from matte.runtime.machine import describe_machine, machine_facts, processor_name, system_name


def test_a_machine_is_described() -> None:
    found = describe_machine()
    assert found["system"] == system_name()
    assert found["threads"] >= 1
    assert found["versions"]["numpy"] == numpy.__version__
    assert found["memory_gib"] is None or found["memory_gib"] > 0
    assert machine_facts()["packages"] == found["versions"]


def test_where_linux_tells_no_processor_pythons_word_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(path: Path, *_: object, **__: object) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr("platform.processor", lambda: "arm")
    assert processor_name() == "arm"


def test_memory_that_the_system_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matte.runtime.machine.machine_bytes", lambda: None)
    assert describe_machine()["memory_gib"] is None
