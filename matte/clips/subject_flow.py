"""Where what is in and around a clip's subject comes from."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.clips.motion import Movement

# At a subject's edge flow mixes what moves before and behind. Alpha goes with the subject: there
# its flow counts, from INNER pixels of the small copy inwards, the mean over REACH of them.
INNER, REACH = 3, 15
SURE = 0.95
TINY = np.float32(1e-6)  # keeps divisions finite


def led_by_subject(movement: Movement, small: FloatArray, kept: FloatArray) -> FloatArray:
    """The flow, that of the subject in and around it, and how much counts of what it leads to: in
    itself, and around the subject as far as its flow nearby agrees; (h, w, 4) for alpha `small`,
    where what was counts `kept` at most; both (h, w).
    """
    inwards = np.ones((2 * INNER + 1, 2 * INNER + 1), np.uint8)
    inner = cv2.erode((small > SURE).astype(np.uint8), inwards)
    right = inner * movement.agrees
    x, y = cv2.split(movement.flow)
    sums = cv2.merge([x * right, y * right, kept * right, right])
    *means, trusted = cv2.split(cv2.blur(sums, (REACH, REACH)))
    share = np.maximum(cv2.blur(inner.astype(np.float32), (REACH, REACH)), TINY)
    near = np.minimum(share * 20, 1)
    # Where nothing of the subject's flow is right, trust is next to 0 whatever its means say.
    led_x, led_y, counts = (mean / np.maximum(trusted, TINY) for mean in means)
    alone = kept * movement.agrees * (1 - near)
    around = counts * np.minimum(trusted / share, 1) * near
    led = cv2.merge([x + near * (led_x - x), y + near * (led_y - y), alone, around])
    return np.asarray(led, np.float32)


def taken(colours: NDArray[np.uint8], at: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The colours (n, 3) of pixels of (H, W, 3), by flat indices."""
    return np.take(colours.reshape(-1, 3), at, axis=0)
