import sys

import pytest

from matte.text_tables import draw_table, terminal_columns

TITLES = ("setting", "ms", "")
ROWS = [("k = 7, 6 iterations", "371", "best"), ("k = auto [x]", "9", "")]


def test_programs_get_a_line_for_each_row() -> None:
    lines = draw_table(TITLES, ROWS, remarks=True).splitlines()
    assert [line.split() for line in lines] == [
        ["setting", "ms"],
        ["k", "=", "7,", "6", "iterations", "371", "best"],
        ["k", "=", "auto", "[x]", "9"],
    ]
    assert lines[1].index("371") + 2 == lines[2].index("9")  # flush right
    assert not any(line.endswith(" ") for line in lines)


def test_long_names_are_never_broken_for_programs() -> None:
    assert len(draw_table(TITLES, [("n" * 500, "1", "r" * 400)]).splitlines()) == 2


def test_terminals_get_a_rule() -> None:
    assert "───" in draw_table(TITLES, ROWS, 60)
    assert "───" not in draw_table(TITLES, ROWS, ruled=True)
    assert draw_table(TITLES, ROWS, 60, ruled=True).count("\n") > draw_table(
        TITLES, ROWS, 60
    ).count("\n"), "a line between the rows"


@pytest.mark.parametrize("terminal", [True, False])
def test_only_a_terminal_has_a_width(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "77")
    assert terminal_columns() == (77 if terminal else None)


def test_a_file_called_like_a_row_stays_in_its_cell() -> None:
    rows = [("a.png\nbest", "1", "no\x1b[2Jt")]
    assert [line.split() for line in draw_table(TITLES, rows, remarks=True).splitlines()[1:]] == [
        ["a.png\\nbest", "1", "no\\x1b[2Jt"]
    ]
