from dataclasses import dataclass, field
from pathlib import Path

import pytest

from matte.configs.tables import convert, from_file, from_table, read_toml
from matte.errors import SettingError


@dataclass(frozen=True)
class Inner:
    side: int = 1


@dataclass(frozen=True)
class Outer:
    name: str
    share: float = 0.5
    inner: Inner = field(default_factory=Inner)
    several: tuple[Inner, ...] = ()
    mix: dict[str, float] = field(default_factory=dict)


def test_tables_become_dataclasses() -> None:
    table = {
        "name": "x",
        "share": 1,
        "inner": {"side": 2},
        "several": [{"side": 3}],
        "mix": {"a": 1},
    }
    assert from_table(Outer, table, "outer") == Outer("x", 1.0, Inner(2), (Inner(3),), {"a": 1.0})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "outer is not complete: missing 1 required positional argument: 'name'"),
        ({"name": 3}, "name = 3: give text"),
        ({"name": "x", "share": "half"}, "share = 'half': give a number"),
        ({"name": "x", "inner": {"sid": 3}}, "no setting 'sid' in inner: did you mean 'side'?"),
        ({"name": "x", "several": 3}, r"several = 3: write \[\[several\]\]"),
    ],
)
def test_mistakes_are_named(table: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        from_table(Outer, table, "outer")


def test_a_mistake_in_a_file_is_named_with_the_file() -> None:
    with pytest.raises(SettingError, match=r"^mine\.toml: name = 3: give text"):
        from_file(Outer, {"name": 3}, "mine.toml")


def test_truths_are_no_numbers_and_numbers_no_truths() -> None:
    for value, hint in ((True, int), (1, bool), (0.0, bool), (True, float)):
        with pytest.raises(SettingError):
            convert(value, hint, "x")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbfk = 3\n")
    assert read_toml(file) == {"k": 3}
