"""Lengths in pixels, or relative to a picture."""

import math
import re
from dataclasses import dataclass

from matte.errors import SettingError


@dataclass(frozen=True, slots=True)
class Length:
    """So many pixels; or, if it is a percentage, so many hundredths of a longer side."""

    value: float
    percent: bool = False

    def __post_init__(self) -> None:
        if not (self.value >= 0 and math.isfinite(self.value)):
            raise SettingError(f"{self} is not a length", "give pixels, or a percentage such as 3%")

    def __str__(self) -> str:
        return f"{self.value:g}{'%' if self.percent else ''}"

    def pixels(self, side: int) -> float:
        """The length in pixels where the longer side has `side` of them."""
        return self.value * side / 100 if self.percent else self.value


def parse_length(text: str) -> Length:
    """The length that `30` (pixels) or `3%` (of the longer side) names."""
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(px|%)?\s*", text, re.ASCII)
    if found is None:
        raise SettingError(f"{text!r} is not a length", "give pixels, or a percentage such as 3%")
    return Length(float(found[1]), found[2] == "%")
