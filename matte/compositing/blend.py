"""The subject on another background: I = αF + (1 − α)B."""

from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from matte.arrays import Alpha, FloatArray, Image, as_alpha, as_image, same_size
from matte.compositing.backgrounds import as_colour, colour, plain
from matte.compositing.grounds import FITS, Fit, fitted
from matte.compositing.light import to_light, to_values
from matte.errors import SettingError
from matte.imaging.bit_depth import convert_depth
from matte.imaging.channels import repeat_per_channel
from matte.imaging.strips import strip_slices

Blend = Literal["srgb", "linear"]
BLENDS: tuple[Blend, ...] = get_args(Blend)


def composite(
    foreground: NDArray[Any],
    alpha: NDArray[Any],
    background: NDArray[Any] | ArrayLike | str,
    *,
    fit: Fit = "cover",
    blend: Blend = "srgb",
) -> Image:
    """The foreground on the background, weighted by alpha, in the foreground's size and depth.

    `foreground` is (H, W, 3) RGB uint8 or uint16; `alpha` is (H, W) float 0 … 1 or uint8;
    `background` is a picture of any size, or a colour: a name, "#rrggbb" or three values 0 … 255.
    `fit` brings the picture to the foreground's size: "cover" cuts what is too much, "contain"
    shows it whole, "stretch" squashes it, "tile" repeats it from the top left.
    `blend` mixes stored values ("srgb"), as alpha was estimated, or the light they stand for
    ("linear").
    """
    f, a = as_image(foreground), as_alpha(alpha)
    same_size(("foreground", f), ("alpha", a))
    if blend not in BLENDS:
        raise SettingError(f"blend = {blend!r}", "give " + " or ".join(BLENDS))
    if fit not in FITS:
        raise SettingError(f"fit = {fit!r}", "give " + ", ".join(FITS))
    if isinstance(background, str):
        b = plain(colour(background))
    elif np.ndim(background) == 1:
        b = plain(as_colour(background))
    else:
        b = as_image(background)
    return put_on(b, f, a, fit, blend)


def put_on(
    background: Image, foreground: Image, alpha: Alpha, fit: Fit = "cover", blend: Blend = "srgb"
) -> Image:
    """As `composite`, of arrays that are checked; a background of one pixel is a plain colour."""
    height, width = alpha.shape
    if background.shape[:2] != (1, 1):
        background = fitted(background, height, width, fit)
    return mixed(foreground, alpha, Image(convert_depth(background, foreground.dtype)), blend)


def mixed(foreground: Image, alpha: Alpha, background: Image, blend: Blend) -> Image:
    """αF + (1 − α)B, rounded; all of one size, or B of one pixel, both pictures of one depth."""
    out = np.empty(foreground.shape, foreground.dtype)
    # A row of a plain colour: NumPy copies rows, not pixel after pixel.
    row = np.repeat(background, alpha.shape[1], 1) if background.shape[:2] == (1, 1) else background
    ground = np.broadcast_to(row, out.shape)
    for part in strip_slices(*alpha.shape):
        _mix(out[part], foreground[part], alpha[part], ground[part], blend)
    return Image(out)


def _mix(
    out: NDArray[Any],
    foreground: NDArray[Any],
    alpha: FloatArray,
    ground: NDArray[Any],
    blend: Blend,
) -> None:
    """Puts αF + (1 − α)B into `out`; only where alpha is soft there is anything to compute."""
    out[:] = ground
    cv2.copyTo(foreground, (alpha >= 1).view(np.uint8), out)
    soft = np.flatnonzero((alpha > 0) & (alpha < 1))
    f, b = (np.ascontiguousarray(x).reshape(-1, 3).take(soft, 0) for x in (foreground, ground))
    a = repeat_per_channel(alpha.take(soft))
    if blend == "linear":
        between: NDArray[Any] = to_values(_between(to_light(b), to_light(f), a), out.dtype)
    else:
        between = np.rint(_between(b.astype(np.float32), f.astype(np.float32), a))
    out.reshape(-1, 3)[soft] = between


def _between(low: FloatArray, high: FloatArray, share: FloatArray) -> FloatArray:
    # In this form rounding leaves it monotone in the share, and exact where both are the same.
    return low + share * (high - low)
