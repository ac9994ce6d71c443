"""The time a picture may take, and an estimate of what a refiner will take.

The estimate is a model that was measured once, scaled to this machine's pace as it runs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from matte.arrays import UNKNOWN, Trimap

# Milliseconds on two cores, by benchmarks/costs.py.
COSTS_FILE = Path(__file__).with_name("costs.json")
PIXELS_PER_MEGAPIXEL = 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """A stage's milliseconds: fixed, for each megapixel, its square, each unknown megapixel."""

    fixed: float = 0.0
    pixels: float = 0.0
    square: float = 0.0
    unknown: float = 0.0

    def estimate_ms(self, trimap: Trimap) -> float:
        """Return the milliseconds for a trimap on the machine where the costs were measured."""
        whole = trimap.size / PIXELS_PER_MEGAPIXEL
        unknown = np.count_nonzero(trimap == UNKNOWN) / PIXELS_PER_MEGAPIXEL
        return self.fixed + self.pixels * whole + self.square * whole**2 + self.unknown * unknown


@cache
def measured_costs() -> dict[str, Cost]:
    """Return the measured costs by the name of the network or the refiner."""
    return {name: Cost(**row) for name, row in json.loads(COSTS_FILE.read_text()).items()}


class Budget:
    """The milliseconds that a picture may take; None: no limit.

    The segmenter runs first, and its time shows this machine's pace; the refiner's own time for the
    last picture shows it better. The refiner's network runs `refiner_runs` times for a picture, the
    segmenter's `segmenter_runs` times.
    """

    def __init__(
        self,
        ms: int | None,
        segmenter: str = "",
        refiner: str = "",
        refiner_runs: int = 1,
        segmenter_runs: int = 1,
    ) -> None:
        self._ms, self._refiner_runs, self._segmenter_runs = ms, refiner_runs, segmenter_runs
        self._segmenter = measured_costs().get(segmenter) if ms else None
        self._refiner = measured_costs().get(refiner) if ms else None
        self._pace = 0.0  # this machine's time over the measured one, in the refiner's last run

    def overrun(self, trimap: Trimap, spent: Mapping[str, float]) -> str:
        """Return why the refiner should not start, by the milliseconds spent; empty if it may."""
        if not self._ms:
            return ""
        so_far = sum(spent.values())
        if so_far > self._ms:
            return f"{so_far:.0f} ms were over before the refiner, of {self._ms}"
        if self._refiner is None:
            return ""
        pace = self._pace or self._segmenter_pace(trimap, spent)
        ahead = pace * self._refiner_ms(self._refiner, trimap)
        if so_far + ahead <= self._ms:
            return ""
        return f"the refiner would take about {ahead:.0f} ms, of {self._ms - so_far:.0f} left"

    def update_pace(self, trimap: Trimap, spent: Mapping[str, float]) -> None:
        """Set this machine's pace from the time that the refiner has just taken."""
        if self._refiner is not None and "refine" in spent:
            self._pace = spent["refine"] / self._refiner_ms(self._refiner, trimap)

    def _refiner_ms(self, cost: Cost, trimap: Trimap) -> float:
        """Return the refiner's milliseconds on the machine where the costs were measured."""
        return self._refiner_runs * cost.estimate_ms(trimap)

    def _segmenter_pace(self, trimap: Trimap, spent: Mapping[str, float]) -> float:
        """Return this machine's time over the measured one, in the segmenter's run."""
        if self._segmenter is None or "segment" not in spent:
            return 1.0
        return spent["segment"] / (self._segmenter_runs * self._segmenter.estimate_ms(trimap))
