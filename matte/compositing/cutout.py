"""The subject without a background: colours and alpha in one picture."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.imaging.bit_depth import quantise_alpha
from matte.imaging.channels import repeat_per_channel
from matte.imaging.strips import strip_slices


def cut_out(foreground: Image, alpha: Alpha, premultiply: bool = False) -> NDArray[Any]:
    """Return the subject as RGBA (H, W, 4) in the foreground's depth.

    The colours are straight, as PNG wants them, or multiplied with alpha and rounded.
    """
    out = np.empty((*alpha.shape, 4), foreground.dtype)
    for rows in strip_slices(*alpha.shape):
        colours, a = foreground[rows], Alpha(alpha[rows])
        if premultiply:
            weights = repeat_per_channel(a).reshape(colours.shape)
            colours = np.rint(colours * weights).astype(out.dtype)
        cv2.merge([*cv2.split(colours), quantise_alpha(a, out.dtype.type)], out[rows])
    return out
