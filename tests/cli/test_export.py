"""`matte export`: what it refuses before any work. Exports themselves: tests/conversion."""

import pytest

from tests.commands import run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--height", "64"), "a size is --height and --width: give both, or --dynamic"),
        (("--height", "64", "--width", "64", "--dynamic"), "a size is --height and --width"),
        (("--precision", "int8"), "int8 is calibrated on pictures: give --precision int8 --cali"),
        (("--calibrate", "photos"), "int8 is calibrated on pictures"),
        (
            ("--precision", "int8", "--calibrate", "photos", "--dynamic"),
            "int8 is for any size: leave the size away",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    words: tuple[str, ...], message: str
) -> None:
    result = run("export", "gca-slim", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1
