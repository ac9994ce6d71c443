"""Frames as linear light, for OpenEXR: what compositing programs calculate with.

1 is white, and primaries are BT.709's. HDR goes beyond: 1 is SDR's white in it, and colours outside
of BT.709 have negative values.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.clips.frames import VideoFrame
from matte.imaging.light import to_light
from matte.media.video.hdr import HdrLight


def linear_cutout(frame: VideoFrame, light: HdrLight | None) -> FloatArray:
    """Return the subject's own light times alpha, and alpha (H, W, 4).

    `light` is that of the frame's samples; None: they are SDR.
    """
    alpha = frame.alpha[:, :, None]
    return np.concatenate([linear_colours(frame.foreground, light) * alpha, alpha], axis=2)


def linear_colours(pixels: NDArray[Any], light: HdrLight | None) -> FloatArray:
    """Return the linear light of RGB pixels (H, W, 3)."""
    return to_light(pixels) if light is None else light.to_linear(pixels)
