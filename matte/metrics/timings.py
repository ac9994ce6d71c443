"""Repeated timings summarised: the median and the quartiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class TimingSpread:
    """The median and the quartiles of repeated timings."""

    median: float
    low: float
    high: float
    count: int

    def as_json(self) -> dict[str, float]:
        """Return the spread as JSON values: half of the timings lie between q1 and q3."""
        return {"median": self.median, "q1": self.low, "q3": self.high, "runs": self.count}


def summarise_timings(values: Sequence[float], digits: int = 2) -> TimingSpread:
    """Return the median and the quartiles of timings, at least one."""
    low, median, high = (round(float(q), digits) for q in np.percentile(values, (25, 50, 75)))
    return TimingSpread(median, low, high, len(values))
