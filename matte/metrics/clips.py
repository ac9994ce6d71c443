"""How steady the alphas of a clip are.

M. Erofeev et al., "Perceptually Motivated Benchmark for Video Matting", BMVC 2015, in the units
that papers on video matting tell.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha

UNIT = 100  # dtSSD is told in hundredths


def dt_ssd(alphas: Iterable[Alpha], truths: Iterable[Alpha]) -> float:
    """dtSSD: the root of the mean squared difference of what changed from frame to frame and what
    should have, in hundredths, over whole frames; the mean over all frames but the first.

    0 of a single frame; the two are read side by side, and must have the same length.
    """
    before: NDArray[np.float64] | None = None
    found = []
    for alpha, truth in zip(alphas, truths, strict=True):
        error = np.subtract(alpha, truth, dtype=np.float64)
        if before is not None:
            found.append(UNIT * float(np.sqrt(np.square(error - before).mean())))
        before = error
    return sum(found) / len(found) if found else 0.0


def variance(alphas: Iterable[Alpha]) -> NDArray[np.float64]:
    """The variance over time of each pixel's alpha, for a clip in which nothing moves.

    B. P. Welford's way, which reads the clip once: Technometrics 4, 1962.
    """
    count = 0
    mean = squares = np.zeros(1)
    for alpha in alphas:
        count += 1
        apart = alpha - mean
        mean = mean + apart / count
        squares = squares + apart * (alpha - mean)
    return squares / max(count, 1)
