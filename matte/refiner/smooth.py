"""A refiner that uses distances alone: no network, and not even the picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.stages import NO_CONTEXT, RefineContext, Refined


class Smooth:
    """Interpolates smoothly from the known background to the known subject: no hair."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size; ½ everywhere if all of the trimap is unknown."""
        alpha = (trimap / np.float32(255)).astype(np.float32)
        unknown = trimap == UNKNOWN
        subject, background = trimap == SUBJECT, trimap == BACKGROUND
        if not (subject.any() and background.any()):
            alpha[unknown] = 1 if subject.any() else 0 if background.any() else 0.5
            return Refined(Alpha(alpha))
        to_subject, to_background = _distances(~subject, unknown), _distances(~background, unknown)
        step = to_background / (to_subject + to_background)
        alpha[unknown] = step * step * (3 - 2 * step)
        return Refined(Alpha(alpha))


def _distances(outside: NDArray[np.bool_], at: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distances of the pixels at `at` from the nearest pixel not outside."""
    found = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(found[at], np.float32)
