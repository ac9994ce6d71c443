"""Metrics of how steady a clip's alphas are over time.

M. Erofeev et al., "Perceptually Motivated Benchmark for Video Matting", BMVC 2015, in the units
of papers on video matting.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha

DT_SSD_UNIT = 100  # dtSSD is given in hundredths


def dt_ssd(alphas: Iterable[Alpha], truths: Iterable[Alpha]) -> float:
    """Return dtSSD: how far alpha changes from frame to frame in another way than the truth.

    For each frame but the first it is the root mean square, over all pixels, of the change of the
    error since the frame before, in hundredths; the result is the mean over frames, 0 of a single
    one. The two are read side by side, and must have the same length.
    """
    previous: NDArray[np.float64] | None = None
    values = []
    for alpha, truth in zip(alphas, truths, strict=True):
        error = np.subtract(alpha, truth, dtype=np.float64)
        if previous is not None:
            change = error - previous
            values.append(DT_SSD_UNIT * float(np.sqrt(np.square(change).mean())))
        previous = error
    return sum(values) / len(values) if values else 0.0


def temporal_variance(alphas: Iterable[Alpha]) -> NDArray[np.float64]:
    """Return the variance over time of each pixel's alpha (H, W), for a clip without motion.

    By B. P. Welford's method, which reads the clip once: Technometrics 4, 1962.
    """
    count = 0
    mean = squares = np.zeros(1)
    for alpha in alphas:
        count += 1
        deviation = alpha - mean
        mean = mean + deviation / count
        squares = squares + deviation * (alpha - mean)
    return squares / max(count, 1)
