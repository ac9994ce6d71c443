"""The optical flow of a clip's subject, which alpha follows in and around it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.clips.motion import Motion

# At a subject's edge flow mixes what moves before and behind. Alpha goes with the subject: its
# flow is taken from SUBJECT_DEPTH_PIXELS inside it, and averaged over MEAN_SIDE_PIXELS, both of
# the small copy.
SUBJECT_DEPTH_PIXELS, MEAN_SIDE_PIXELS = 3, 15
MIN_SUBJECT_ALPHA = 0.95
EPSILON = np.float32(1e-6)  # keeps divisions finite


def subject_flow(motion: Motion, alpha: FloatArray, history_weight: FloatArray) -> FloatArray:
    """Return the subject's optical flow in and around it, with blend weights, as (h, w, 4).

    `alpha` (h, w) is the frame's at the motion's size, `history_weight` (h, w) the highest weight
    of the past. The first two of the four values are the steps back, x and y. The third is the
    past's weight far from the subject, as far as the flow there agrees; the fourth is its weight
    in and around the subject, as far as the subject's flow nearby agrees. The two add up.
    """
    kernel_side = 2 * SUBJECT_DEPTH_PIXELS + 1
    kernel = np.ones((kernel_side, kernel_side), np.uint8)
    inner = cv2.erode((alpha > MIN_SUBJECT_ALPHA).astype(np.uint8), kernel)
    weight = inner * motion.agreement
    x, y = cv2.split(motion.flow)
    sums = cv2.merge([x * weight, y * weight, history_weight * weight, weight])
    window = (MEAN_SIDE_PIXELS, MEAN_SIDE_PIXELS)
    *means, mean_weight = cv2.split(cv2.blur(sums, window))
    inner_share = np.maximum(cv2.blur(inner.astype(np.float32), window), EPSILON)
    nearness = np.minimum(inner_share * 20, 1)
    # Where nothing of the subject's flow is right, the weight is next to 0 whatever its means say.
    near_x, near_y, near_history = (mean / np.maximum(mean_weight, EPSILON) for mean in means)
    far_weight = history_weight * motion.agreement * (1 - nearness)
    near_weight = near_history * np.minimum(mean_weight / inner_share, 1) * nearness
    flow_x, flow_y = x + nearness * (near_x - x), y + nearness * (near_y - y)
    return np.asarray(cv2.merge([flow_x, flow_y, far_weight, near_weight]), np.float32)


def pixels_at(colours: NDArray[np.uint8], indices: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return the colours (n, 3) of pixels of a picture (H, W, 3), given by flat indices."""
    return np.take(colours.reshape(-1, 3), indices, axis=0)
