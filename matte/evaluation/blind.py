"""A refiner that ignores the picture: a baseline that every other one must beat."""

import cv2
import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, FloatArray, Image, Trimap
from matte.stages import NO_CONTEXT, RefineContext, Refined


class BlindBaseline:
    """Refines by the trimap alone: alpha steps from 0 to 1 halfway across the unknown band."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return 1 where the sure subject is nearer than the sure background, else 0.

        Alpha is 0.5 where both are as near. The picture is ignored.
        """
        to_subject, to_background = (_distance(trimap, v) for v in (SUBJECT, BACKGROUND))
        step = 0.5 + 0.5 * np.sign(to_background - to_subject)
        alpha = np.where(trimap == UNKNOWN, step, trimap == SUBJECT)
        return Refined(Alpha(alpha.astype(np.float32)))


def _distance(trimap: Trimap, value: int) -> FloatArray:
    """Return each pixel's distance to the nearest one of this value.

    Without any it is more than the picture measures.
    """
    others = trimap != value
    if others.all():
        return np.full(trimap.shape, sum(trimap.shape), np.float32)
    precise = cv2.distanceTransform(others.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(precise, np.float32)
