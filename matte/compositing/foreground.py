"""The subject's own colours, cleaned of the old background that shines through its edge.

After M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021: F and B are averages of
the picture weighted by alpha and 1 − alpha, then take on what the two leave unexplained.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.imaging.bands import bounding_box, box_mean
from matte.imaging.channels import for_each
from matte.imaging.scaling import scaled
from matte.imaging.strips import Grown, strips

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

# By how much the picture is shrunk and the radius of the window, wide views first, for a picture of
# 1000 pixels; larger ones are shrunk to about that size before. Measured on cut-outs with known
# colours, see docs/decisions/0005.
VIEWS = ((16, 5), (4, 5), (1, 5), (1, 1))
NEAR = 20  # pixels of those 1000 around soft alpha that get a colour


def estimate_foreground(image: Image, alpha: Alpha) -> Image:
    """The subject's colours, at the picture's size and depth.

    The picture itself where alpha is 1; the colours of the near subject where alpha is below;
    black where no subject is near.
    """
    foreground = np.asarray(cv2.copyTo(image, (alpha == 1).view(np.uint8)), image.dtype)
    scale = max(1, round(max(alpha.shape) / 1000))
    box = bounding_box((alpha > 0) & (alpha < 1), margin=NEAR * scale)
    if box is None:
        return Image(foreground)
    top = np.iinfo(image.dtype).max
    crop, a, out = image[box], alpha[box], foreground[box]
    height, width = a.shape
    small = _shrunk(a, scale)
    averages = _averages(_shrunk(crop, scale).astype(np.float32), small, np.float32(top))
    f, b = (Grown(x, height, width) for x in averages)
    near = scaled(_around_soft(small), height, width)
    for part in strips(width, height):
        _estimate(out[:, part], crop[:, part], a[:, part], near[:, part] > 0, f[part], b[part])
    return Image(foreground)


def _estimate(
    out: NDArray[Any], image: NDArray[Any], alpha: Floats, near: Flags, fore: Floats, back: Floats
) -> None:
    """Puts the subject's colours into `out`: where alpha is soft, and where it is 0 but `near`."""
    f, b, seen = (np.ascontiguousarray(x).reshape(-1, 3) for x in (fore, back, image))
    beside, soft = (np.flatnonzero(at) for at in (near & (alpha == 0), (alpha > 0) & (alpha < 1)))
    found = np.ascontiguousarray(out).reshape(-1, 3)
    found[beside] = _rounded(f.take(beside, 0), out.dtype)
    share = for_each(alpha.take(soft))
    estimate, _ = _explained(seen.take(soft, 0), share, f.take(soft, 0), b.take(soft, 0))
    found[soft] = _rounded(estimate, out.dtype)
    out[:] = found.reshape(out.shape)


def _rounded(colours: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.rint(np.clip(colours, 0, np.iinfo(dtype).max)).astype(dtype)


def _averages(image: Floats, alpha: Floats, top: np.float32) -> tuple[Floats, Floats]:
    """F and B around each pixel, from ever narrower views; the picture reaches to `top`."""
    f = b = fore = back = _shrunk(image, VIEWS[0][0])
    for turn, (factor, radius) in enumerate(VIEWS):
        seen, opacity = _shrunk(image, factor), _shrunk(alpha, factor)
        a = opacity[:, :, None]
        if turn > 0:
            fore, back = _explained(seen, a, _at_size(f, opacity), _at_size(b, opacity))
            np.clip(fore, 0, top, out=fore)
            np.clip(back, 0, top, out=back)
        share = box_mean(opacity, radius)[:, :, None]
        f = box_mean(fore * a, radius) / (share + np.float32(1e-5))
        b = box_mean(back * (1 - a), radius) / (1 - share + np.float32(1e-5))
    return f, b


def _explained(
    image: NDArray[Any], alpha: Floats, fore: Floats, back: Floats
) -> tuple[Floats, Floats]:
    """F and B, changed as little as makes αF + (1 − α)B the picture."""
    rest = 1 - alpha
    missing = (image - alpha * fore - rest * back) / (alpha * alpha + rest * rest)
    return fore + alpha * missing, back + rest * missing


def _around_soft(alpha: Floats) -> NDArray[np.uint8]:
    """1 where alpha is soft or nearly so, NEAR pixels around included."""
    soft = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    side = 2 * NEAR + 1
    return np.asarray(cv2.dilate(soft, np.ones((side, side), np.uint8)), np.uint8)


def _shrunk(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Means over squares of `factor` pixels, the last ones narrower."""
    height, width = values.shape[:2]
    return scaled(values, -(-height // factor), -(-width // factor))


def _at_size(values: Floats, like: NDArray[Any]) -> Floats:
    """The values between which there are fewer, at the height and width of `like`."""
    return scaled(values, *like.shape[:2])
