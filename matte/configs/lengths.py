"""Lengths in pixels, or relative to a picture's long side."""

import math
import re
from dataclasses import dataclass

from matte.errors import SettingError


@dataclass(frozen=True, slots=True)
class Length:
    """A number of pixels, or a percentage of a picture's long side."""

    value: float
    percent: bool = False

    def __post_init__(self) -> None:
        if not (self.value >= 0 and math.isfinite(self.value)):
            raise SettingError(f"{self} is not a length", "give pixels, or a percentage such as 3%")

    def __str__(self) -> str:
        return f"{self.value:g}{'%' if self.percent else ''}"

    def pixels(self, side: int) -> float:
        """Return the length in pixels for a picture whose long side has `side` pixels."""
        return self.value * side / 100 if self.percent else self.value


def parse_length(text: str) -> Length:
    """Return the length that a text names: `30` and `30px` are pixels, `3%` is of the long side."""
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(px|%)?\s*", text, re.ASCII)
    if found is None:
        raise SettingError(f"{text!r} is not a length", "give pixels, or a percentage such as 3%")
    return Length(float(found[1]), found[2] == "%")
