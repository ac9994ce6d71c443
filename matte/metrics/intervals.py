"""How sure a mean over few pictures is: paired bootstrap.

B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993: percentile intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
PERCENTILES = (2.5, 97.5)
SEED = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic of the pictures, and where 95 % of its resamples lie."""

    value: float
    low: float
    high: float


def mean(values: Sequence[float], seed: int = SEED) -> Interval:
    """The mean of one value for each picture; there must be one at least."""
    v = np.asarray(values, np.float64)
    return _interval(float(v.mean()), v[_resamples(v.size, seed)].mean(axis=1))


def difference(values: Sequence[float], reference: Sequence[float], seed: int = SEED) -> Interval:
    """The mean difference to a reference on the same pictures, in the same order."""
    return mean(np.subtract(values, reference).tolist(), seed)


def ratio(values: Sequence[float], reference: Sequence[float], seed: int = SEED) -> Interval | None:
    """The mean divided by that of a reference on the same pictures, in the same order.

    None where the reference's mean, or that of a resample, is 0.
    """
    v, r = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    chosen = _resamples(v.size, seed)
    below = r[chosen].mean(axis=1)
    if not (r.mean() > 0 and below.min() > 0):
        return None
    return _interval(float(v.mean() / r.mean()), v[chosen].mean(axis=1) / below)


def median_ratio(values: Sequence[float], reference: Sequence[float]) -> float | None:
    """The median of the pictures' own ratios; None where a picture of the reference has 0."""
    r = np.asarray(reference, np.float64)
    if not (r > 0).all():
        return None
    return float(np.median(np.asarray(values, np.float64) / r))


def _resamples(pictures: int, seed: int) -> NDArray[np.int64]:
    """Indices (RESAMPLES, pictures): the same ones for every contestant."""
    return np.random.default_rng(seed).integers(pictures, size=(RESAMPLES, pictures))


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(resampled, PERCENTILES)
    return Interval(value, float(low), float(high))
