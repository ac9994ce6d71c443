import pytest

from matte.configs.times import check_time_range, format_time, parse_time
from matte.errors import SettingError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("12.5", 12.5),
        (".5", 0.5),
        ("90", 90),
        ("1:02.5", 62.5),
        ("1:00:02.25", 3602.25),
        ("100:00", 6000),
        (" 3 ", 3),
    ],
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "x", "-1", "1:60", "1:60:00", "1:2:3:4", "1e3", "nan", ":5", "9" * 20, "9" * 400 + ":00"],
)
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(SettingError, match="is not a time"):
        parse_time(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.000"), (62.5, "1:02.500"), (3602.25, "1:00:02.250"), (59.9996, "1:00.000")],
)
def test_times_are_written_as_they_are_read(seconds: float, text: str) -> None:
    assert format_time(seconds) == text
    assert parse_time(text) == round(seconds, 3)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (-1, None),
        (1e30, None),
        (2, 2),
        (0, float("nan")),
        (0, float("inf")),
    ],
)
def test_a_range_is_within_a_clip(start: float, end: float | None) -> None:
    check_time_range(0, None)
    check_time_range(1, 1.5)
    with pytest.raises(SettingError, match="give"):
        check_time_range(start, end)
