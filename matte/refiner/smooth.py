"""Alpha from distances alone: no network, and no look at the picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap


class Smooth:
    """A smooth step from the known background to the known subject: a soft edge, but no hair."""

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows, ½ where nothing does."""
        alpha = (trimap / np.float32(255)).astype(np.float32)
        unknown = trimap == UNKNOWN
        subject, background = trimap == SUBJECT, trimap == BACKGROUND
        if not (subject.any() and background.any()):
            alpha[unknown] = 1 if subject.any() else 0 if background.any() else 0.5
            return Alpha(alpha)
        to_subject, to_background = _distance(~subject, unknown), _distance(~background, unknown)
        step = to_background / (to_subject + to_background)
        alpha[unknown] = step * step * (3 - 2 * step)
        return Alpha(alpha)


def _distance(outside: NDArray[np.bool_], at: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far the pixels at `at` are from the nearest that isn't outside."""
    found = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(found[at], np.float32)
