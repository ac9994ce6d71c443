"""The subject on another background: I = αF + (1 − α)B."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matte.arrays import Alpha, Image, as_alpha, as_image, same_size
from matte.compositing.backgrounds import as_colour, colour, cover, plain


def composite(
    foreground: NDArray[Any], alpha: NDArray[Any], background: NDArray[Any] | ArrayLike | str
) -> Image:
    """The foreground on the background, weighted by alpha, in the foreground's size and depth.

    `foreground` is (H, W, 3) RGB uint8 or uint16; `alpha` is (H, W) float 0 … 1 or uint8;
    `background` is a picture of any size, cut to cover the foreground, or a colour: a name,
    "#rrggbb" or three values 0 … 255.
    """
    f, a = as_image(foreground), as_alpha(alpha)
    same_size(("foreground", f), ("alpha", a))
    height, width = a.shape
    if isinstance(background, str):
        b = plain(colour(background), height, width)
    elif np.ndim(background) == 1:
        b = plain(as_colour(background), height, width)
    else:
        b = cover(as_image(background), height, width)
    return blend(f, a, _in_depth(b, f.dtype))


def blend(foreground: Image, alpha: Alpha, background: Image) -> Image:
    """αF + (1 − α)B, rounded; all of one size, both pictures of one depth."""
    out = background.copy()
    whole = alpha >= 1
    out[whole] = foreground[whole]
    soft = (alpha > 0) & ~whole
    a = alpha[soft][:, None]
    mixed = a * foreground[soft] + (1 - a) * background[soft].astype(np.float32)
    out[soft] = np.rint(mixed).astype(out.dtype)
    return out


def _in_depth(picture: Image, dtype: np.dtype[Any]) -> Image:
    if picture.dtype == dtype:
        return picture
    if dtype == np.uint16:
        return Image(picture.astype(np.uint16) * 257)
    return Image(np.rint(picture / np.float32(257)).astype(np.uint8))
