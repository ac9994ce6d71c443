"""Records in the cache."""

from pathlib import Path

import pytest

from matte.runtime.records import read_record, record_name, write_record


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.json"
    write_record(file, {"peak": 3})
    assert read_record(file) == {"peak": 3}


@pytest.mark.parametrize("data", [b"", b"\xff", b"[1]", b"[" * 100_000, b'{"a": 1'])
def test_what_is_damaged_is_empty(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(data)
    assert read_record(file) == {}


def test_what_can_not_be_written_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    write_record(tmp_path / "a" / "b.json", {})
    assert read_record(tmp_path / "a" / "b.json") == {}


def test_names_follow_all_facts() -> None:
    assert record_name("a", 1) == record_name("a", 1)
    assert len({record_name(), record_name("a"), record_name("a", 1)}) == 3
