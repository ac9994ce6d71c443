"""Confidence intervals of means over few pictures, by the paired bootstrap.

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


def mean_interval(values: Sequence[float], seed: int = SEED) -> Interval:
    """Return the mean of one value for each picture; there must be one at least."""
    v = np.asarray(values, np.float64)
    return _percentile_interval(float(v.mean()), v[_resample_indices(v.size, seed)].mean(axis=1))


def mean_difference(
    values: Sequence[float], reference: Sequence[float], seed: int = SEED
) -> Interval:
    """Return the mean difference to a reference on the same pictures, in the same order."""
    return mean_interval(np.subtract(values, reference).tolist(), seed)


def ratio_of_means(
    values: Sequence[float], reference: Sequence[float], seed: int = SEED
) -> Interval | None:
    """Return the mean divided by that of a reference on the same pictures, in the same order.

    None where the reference's mean, or that of a resample, is 0.
    """
    v, r = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    indices = _resample_indices(v.size, seed)
    denominators = r[indices].mean(axis=1)
    if not (r.mean() > 0 and denominators.min() > 0):
        return None
    return _percentile_interval(float(v.mean() / r.mean()), v[indices].mean(axis=1) / denominators)


def mean_of_ratios(
    parts: Sequence[tuple[Sequence[float], Sequence[float]]], seed: int = SEED
) -> Interval:
    """Return the mean over `parts` of sum divided by sum: a set's IoU is one, of each class.

    Each part has a numerator and a denominator for each picture, in the same order. A part whose
    denominators are all 0 doesn't count; if none counts, the mean is 1.
    """
    pictures = len(parts[0][0])
    indices = np.vstack([np.arange(pictures), _resample_indices(pictures, seed)])
    ratios = []
    for numerators, denominators in parts:
        above = np.asarray(numerators, np.float64)[indices].sum(axis=1)
        below = np.asarray(denominators, np.float64)[indices].sum(axis=1)
        ratios.append(np.where(below > 0, above / np.where(below > 0, below, 1), np.nan))
    counted = ~np.isnan(ratios)
    sums = np.where(counted, ratios, 0).sum(axis=0)
    means = np.where(counted.any(axis=0), sums / np.maximum(1, counted.sum(axis=0)), 1.0)
    return _percentile_interval(float(means[0]), means[1:])


def median_ratio(values: Sequence[float], reference: Sequence[float]) -> float | None:
    """Return the median of each picture's ratio to the reference; None if a reference is 0."""
    r = np.asarray(reference, np.float64)
    if not (r > 0).all():
        return None
    return float(np.median(np.asarray(values, np.float64) / r))


def _resample_indices(pictures: int, seed: int) -> NDArray[np.int64]:
    """Return random indices (RESAMPLES, pictures), the same ones for a seed."""
    return np.random.default_rng(seed).integers(pictures, size=(RESAMPLES, pictures))


def _percentile_interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    """Return the value with the percentiles of its resamples."""
    low, high = np.percentile(resampled, PERCENTILES)
    return Interval(value, float(low), float(high))
