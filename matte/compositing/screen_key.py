"""Alpha in front of a green or blue screen: what the networks saw, mended by the screen's colour.

P. Vlahos's colour difference: how much a pixel is greener than it is red or blue, to how much the
screen is, is the screen's share in it. Networks know what colour alone can't: what is garbage
beside the screen, and that a green jersey belongs to the subject.
"""

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray, FloatArray, Image
from matte.imaging.gap_filling import fill_gaps
from matte.imaging.resizing import resize, resize_by_halving

ScreenColour = Literal["green", "blue"]
Screen = Literal["none", "green", "blue"]  # as settings name it
SCREEN_CHANNELS: dict[ScreenColour, int] = {"green": 1, "blue": 2}

MIN_DIFFERENCE = 0.12  # of the colours' range, that a screen is greener than it is red or blue
MIN_SCREEN_SHARE = 0.05  # of a frame: or there is no screen
MAX_GROUND_ALPHA, MIN_CORE_ALPHA = 0.05, 0.95  # of what networks took for ground, for subject
COPY_SHRINK = 8  # of the copy in which the screen's light is followed
SIDE_PIXELS = 320  # of the frame's short side, to which the distances below belong
NEAR_PIXELS = 15  # from the subject's edge: what lies behind it there
CORE_PIXELS = 4  # inside the networks' subject, where green is the subject's own
# The screen's share in a pixel: from the first on it is the screen alone; up to the second, beyond
# what the subject has of its own, it is subject alone. In the networks' subject it counts only from
# the third on, for the subject may be greenish.
ONLY_SCREEN, ONLY_SUBJECT, DOUBTED_SUBJECT = 0.9, 0.2, 0.6
MIN_OWN, MAX_OWN = -0.4, 0.15  # of the screen's share that the subject has of its own
OWN_SHRINK = 4  # of the copy in which the subject's own share is followed
GARBAGE_EDGE_PIXELS = 2  # around garbage: what is soft there is its edge
MAX_ADDED_SHARE = 0.2  # of the subject: what larger parts are that networks did not see is garbage


def key_screen(
    image: Image, alpha: Alpha, screen: ScreenColour, kept: BoolArray | None = None
) -> Alpha:
    """Return a picture's alpha, mended where the screen is behind; `alpha` itself if none is.

    What has the screen's colour is background, however sure the networks were of it; what hangs
    together with the subject and has not is subject; in between alpha is what the screen's share
    leaves. Where `kept` is true alpha stays as it is.
    """
    difference = colour_difference(image, screen)
    light = _screen_light(difference, alpha)
    if light is None:
        return alpha
    share = difference / light
    unit = max(1.0, min(alpha.shape) / SIDE_PIXELS)
    core = _shrunk(alpha > MIN_CORE_ALPHA, CORE_PIXELS * unit)
    keyed = np.where(core, _ramp(share, DOUBTED_SUBJECT), _ramp(share, MAX_OWN))
    belongs = _belongs(keyed > 0.5, alpha > 0.5, GARBAGE_EDGE_PIXELS * unit)
    own = _own_share(share, _shrunk((keyed >= 1) & belongs, unit))
    keyed = np.where(core, keyed, _ramp((share - own) / (1 - own), ONLY_SUBJECT))
    keyed[~belongs] = 0
    behind = _screen_behind(share >= ONLY_SCREEN, keyed <= 0, NEAR_PIXELS * unit)
    if kept is not None:
        behind[kept] = 0
    return Alpha(np.asarray(alpha + behind * (keyed - alpha), np.float32))


def colour_difference(image: Image, screen: ScreenColour) -> FloatArray:
    """Return by how much of the colours' range a picture (H, W, 3) is greener (bluer) than else."""
    top = float(np.iinfo(image.dtype).max)
    own, others = _own_and_others(image, screen)
    found = cv2.addWeighted(own, 1 / top, others, -1 / top, 0, dtype=cv2.CV_32F)
    return np.asarray(found, np.float32)


def _own_and_others(image: Image, screen: ScreenColour) -> tuple[Any, Any]:
    """Return the channel of the screen's colour, and the larger of the two others, (H, W)."""
    channel = SCREEN_CHANNELS[screen]
    planes = cv2.split(image)
    return planes[channel], cv2.max(*(plane for at, plane in enumerate(planes) if at != channel))


def _ramp(share: FloatArray, subject: float) -> FloatArray:
    """Return alpha: 1 up to this share of the screen, 0 where there is the screen alone."""
    found = np.clip((ONLY_SCREEN - share) / (ONLY_SCREEN - subject), 0, 1)
    return np.asarray(found, np.float32)


def _own_share(share: FloatArray, subject: BoolArray) -> FloatArray:
    """Return the screen's share that the subject near each pixel seems to hold by its own colour.

    It is below 0 for skin and whatever is reddish, which would be too opaque where it mixes.
    """
    height, width = (max(1, side // OWN_SHRINK) for side in share.shape)
    weight = resize_by_halving(subject.astype(np.float32), height, width)
    sums = resize_by_halving(np.where(subject, share, np.float32(0)), height, width)
    known = (weight > 0).astype(np.float32)
    means = np.asarray(sums / np.maximum(weight, np.float32(1e-6)), np.float32)
    filled = fill_gaps(means[:, :, None], known)[:, :, 0]
    return np.clip(resize(filled, *share.shape), MIN_OWN, MAX_OWN)


def _screen_light(difference: FloatArray, alpha: Alpha) -> FloatArray | None:
    """Return the colour difference that the screen has, or would have, at each pixel (H, W)."""
    size = [max(1, side // COPY_SHRINK) for side in alpha.shape]
    small = resize_by_halving(difference, *size)
    known = (small > MIN_DIFFERENCE) & (resize_by_halving(alpha, *size) < MAX_GROUND_ALPHA)
    if known.mean() < MIN_SCREEN_SHARE:
        return None
    least = np.float32(np.median(small[known]) / 2)
    known &= small > least  # or it is something else that is greenish
    weight = known.astype(np.float32)
    filled = fill_gaps((small * weight)[:, :, None], weight)[:, :, 0]
    smooth = np.asarray(cv2.blur(filled, (5, 5)), np.float32)
    return np.maximum(resize(smooth, *alpha.shape), least)


def remove_spill(image: Image, screen: ScreenColour) -> Image:
    """Return a picture in which nothing is greener (bluer) than it is red or blue (green).

    So what is yellow, or skin, stays as it is, and what was green becomes grey, cyan or yellow.
    """
    found = image.copy()
    found[:, :, SCREEN_CHANNELS[screen]] = cv2.min(*_own_and_others(image, screen))
    return Image(found)


def _belongs(found: BoolArray, seen: BoolArray, edge: float) -> BoolArray:
    """Return what may be subject: all but the garbage in `found` and its edge, so many pixels wide.

    What was seen is none, nor are small parts that touch it.
    """
    near = _grown(seen, 1)
    added = found & ~seen
    count, labels, stats, _ = cv2.connectedComponentsWithStats(added.astype(np.uint8))
    height, width = found.shape
    most = MAX_ADDED_SHARE * max(1, int(seen.sum()))
    touching = np.bincount(labels[near & added], minlength=count) > 0
    x, y, wide, high, area = stats.T
    inside = (x > 0) & (y > 0) & (x + wide < width) & (y + high < height)
    kept = touching & inside & (area <= most)
    kept[0] = False
    soft = _grown(kept[labels], 2)
    garbage = added & ~near & ~soft
    return near | soft | ~_grown(garbage, edge)


def _screen_behind(screen: BoolArray, ground: BoolArray, reach: float) -> FloatArray:
    """Return the share of the screen in the ground around each pixel, 0 … 1 (H, W)."""
    side = 2 * round(reach) + 1
    window = (side, side)
    shown = cv2.blur(screen.astype(np.float32), window)
    whole = cv2.blur((ground | screen).astype(np.float32), window)
    share = np.where(whole > 1e-3, shown / np.maximum(whole, np.float32(1e-3)), 0)
    return np.asarray(np.where(screen, 1, np.clip(share, 0, 1)), np.float32)


def _grown(mask: BoolArray, pixels: float) -> BoolArray:
    """Return a mask (H, W) with what is so near to it."""
    side = 2 * round(pixels) + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def _shrunk(mask: NDArray[np.bool_], pixels: float) -> BoolArray:
    """Return a mask (H, W) without its outer pixels."""
    side = 2 * round(pixels) + 1
    return cv2.erode(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
