"""What can be reached without a look at the picture: the least that a refiner must beat."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap


class Blind:
    """Alpha steps from 0 to 1 halfway between what the trimap knows."""

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """1 where the sure subject is nearer than the sure background, 0.5 where both are as near.

        The picture is not looked at.
        """
        to_subject, to_background = (_distance(trimap, v) for v in (SUBJECT, BACKGROUND))
        step = 0.5 + 0.5 * np.sign(to_background - to_subject)
        alpha = np.where(trimap == UNKNOWN, step, trimap == SUBJECT)
        return Alpha(alpha.astype(np.float32))


def _distance(trimap: Trimap, value: int) -> NDArray[np.float32]:
    """How far each pixel is from the nearest one of that value; without any, farther than all."""
    others = trimap != value
    if others.all():
        return np.full(trimap.shape, sum(trimap.shape), np.float32)
    precise = cv2.distanceTransform(others.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(precise, np.float32)
