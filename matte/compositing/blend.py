"""Foreground and background blended by alpha: I = αF + (1 − α)B."""

from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, FloatArray, Image
from matte.imaging.bit_depth import convert_depth
from matte.imaging.channels import repeat_per_channel
from matte.imaging.light import Curve, to_light, to_values
from matte.imaging.strips import strip_slices

Blend = Literal["srgb", "linear"]
BLENDS: tuple[Blend, ...] = get_args(Blend)


def blend_over(
    foreground: Image, alpha: Alpha, background: Image, blend: Blend, curve: Curve = "srgb"
) -> Image:
    """Return αF + (1 − α)B, rounded, in the foreground's size and depth.

    `background` has the foreground's size, or is one pixel: a plain colour; its depth may be the
    other one. `blend` is what is weighted: "srgb", the stored values, or "linear", their light
    by the `curve`.
    """
    out = np.empty(foreground.shape, foreground.dtype)
    light = curve if blend == "linear" else None
    if background.shape[:2] == (1, 1):
        pixel = convert_depth(background, foreground.dtype)
        row = np.repeat(pixel, alpha.shape[1], 1)  # NumPy copies rows, not pixel after pixel
        for rows in strip_slices(*alpha.shape):
            out[rows] = row
            _blend_strip(out[rows], foreground[rows], alpha[rows], pixel, light)
    else:
        for rows in strip_slices(*alpha.shape):
            out[rows] = behind = convert_depth(background[rows], foreground.dtype)
            _blend_strip(out[rows], foreground[rows], alpha[rows], behind, light)
    return Image(out)


def _blend_strip(
    out: NDArray[Any],
    foreground: NDArray[Any],
    alpha: FloatArray,
    background: NDArray[Any],
    curve: Curve | None,
) -> None:
    """Write αF + (1 − α)B into `out`, which holds B: only subject and soft edges change.

    Light is weighted where a curve is named, else the stored values are.
    """
    cv2.copyTo(foreground, (alpha >= 1).view(np.uint8), out)
    soft = np.flatnonzero((alpha > 0) & (alpha < 1))
    f = np.ascontiguousarray(foreground).reshape(-1, 3).take(soft, 0)
    b = np.ascontiguousarray(background).reshape(-1, 3)
    if len(b) > 1:
        b = b.take(soft, 0)
    weights = repeat_per_channel(alpha.take(soft))
    if curve is not None:
        light = _interpolate(to_light(b, curve), to_light(f, curve), weights)
        out.reshape(-1, 3)[soft] = to_values(light, out.dtype, curve)
    else:
        values = _interpolate(b.astype(np.float32), f.astype(np.float32), weights)
        out.reshape(-1, 3)[soft] = np.rint(values)


def _interpolate(low: FloatArray, high: FloatArray, weight: FloatArray) -> FloatArray:
    """Return `low` where the weight is 0, `high` where it is 1, and in between by the weight."""
    # In this form rounding leaves it monotone in the weight, and exact where both are the same.
    return low + weight * (high - low)
