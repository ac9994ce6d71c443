"""How long a refiner will take: a model measured once, brought to this machine as it runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from matte.arrays import UNKNOWN, Trimap

# Milliseconds on two cores, by benchmarks/costs.py.
MEASURED = Path(__file__).with_name("costs.json")
MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds: in any case, by megapixels, by their square, by unknown megapixels."""

    fixed: float = 0.0
    pixels: float = 0.0
    square: float = 0.0
    unknown: float = 0.0

    def ms(self, trimap: Trimap) -> float:
        """For that trimap, on the machine where it was measured."""
        whole = trimap.size / MEGA
        unknown = np.count_nonzero(trimap == UNKNOWN) / MEGA
        return self.fixed + self.pixels * whole + self.square * whole**2 + self.unknown * unknown


@cache
def costs() -> dict[str, Cost]:
    """What was measured, by the network's or the refiner's name."""
    return {name: Cost(**row) for name, row in json.loads(MEASURED.read_text()).items()}


class Budget:
    """Milliseconds that a picture may take; None: as many as it takes.

    The segmenter runs first and tells how fast this machine is; the last picture tells it better.
    """

    def __init__(self, ms: int | None, segmenter: str = "", refiner: str = "") -> None:
        self._ms = ms
        self._segmenter = costs().get(segmenter) if ms else None
        self._refiner = costs().get(refiner) if ms else None
        self._pace = 0.0  # this machine's time over the measured one, by the refiner's last run

    def exceeded(self, trimap: Trimap, spent: Mapping[str, float]) -> str:
        """Why the refiner should not even start; empty if it may."""
        if not self._ms:
            return ""
        so_far = sum(spent.values())
        if so_far > self._ms:
            return f"{so_far:.0f} ms were over before the refiner, of {self._ms}"
        if self._refiner is None:
            return ""
        pace = self._pace or self._pace_of_segmenter(trimap, spent)
        ahead = pace * self._refiner.ms(trimap)
        if so_far + ahead <= self._ms:
            return ""
        return f"the refiner would take about {ahead:.0f} ms, of {self._ms - so_far:.0f} left"

    def learn(self, trimap: Trimap, spent: Mapping[str, float]) -> None:
        """Takes the refiner's real time for what the next one will take."""
        if self._refiner is not None and "refine" in spent:
            self._pace = spent["refine"] / self._refiner.ms(trimap)

    def _pace_of_segmenter(self, trimap: Trimap, spent: Mapping[str, float]) -> float:
        if self._segmenter is None or "segment" not in spent:
            return 1.0
        return spent["segment"] / self._segmenter.ms(trimap)
