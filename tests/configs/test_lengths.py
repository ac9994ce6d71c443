import pytest

from matte.configs.lengths import Length, parse_length
from matte.errors import SettingError


@pytest.mark.parametrize(
    ("text", "length", "pixels"),
    [
        ("30", Length(30), 30),
        ("2.5px", Length(2.5), 2.5),
        ("3%", Length(3, percent=True), 60),
        (".5 %", Length(0.5, percent=True), 10),
        ("0", Length(0), 0),
    ],
)
def test_lengths(text: str, length: Length, pixels: float) -> None:
    assert parse_length(text) == length
    assert parse_length(str(length)) == length
    assert length.pixels(2000) == pixels


@pytest.mark.parametrize("text", ["", "-3", "3em", "%", "1e3", "nan", "٣", "3 4"])
def test_what_is_no_length_is_said(text: str) -> None:
    with pytest.raises(SettingError, match="is not a length"):
        parse_length(text)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_impossible_lengths_are_refused(value: float) -> None:
    with pytest.raises(SettingError, match="give pixels"):
        Length(value)
