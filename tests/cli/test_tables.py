import sys

import pytest

from matte.cli.tables import draw_table

TITLES = ("setting", "ms", "")
ROWS = [("k = 7, 6 iterations", "371", "best"), ("k = auto [x]", "9", "")]


def test_programs_get_a_line_for_each_row() -> None:
    lines = draw_table(TITLES, ROWS).splitlines()
    assert [line.split() for line in lines] == [
        ["setting", "ms"],
        ["k", "=", "7,", "6", "iterations", "371", "best"],
        ["k", "=", "auto", "[x]", "9"],
    ]
    assert lines[1].index("371") + 2 == lines[2].index("9")  # flush right
    assert not any(line.endswith(" ") for line in lines)


def test_long_names_are_never_broken_for_programs() -> None:
    assert len(draw_table(TITLES, [("n" * 500, "1", "r" * 400)]).splitlines()) == 2


def test_terminals_get_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "───" in draw_table(TITLES, ROWS)
