"""The subject on another background: I = αF + (1 − α)B."""

from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from matte.arrays import Alpha, Image, as_alpha, as_image, same_size
from matte.compositing.backgrounds import as_colour, colour, plain
from matte.compositing.grounds import FITS, Fit, fitted
from matte.compositing.light import to_light, to_values
from matte.errors import SettingError
from matte.imaging.depth import in_depth

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
    height, width = a.shape
    if isinstance(background, str):
        b = plain(colour(background), height, width)
    elif np.ndim(background) == 1:
        b = plain(as_colour(background), height, width)
    else:
        b = fitted(as_image(background), height, width, fit)
    return mixed(f, a, Image(in_depth(b, f.dtype)), blend)


def mixed(foreground: Image, alpha: Alpha, background: Image, blend: Blend) -> Image:
    """αF + (1 − α)B, rounded; all of one size, both pictures of one depth."""
    whole = alpha >= 1
    on_it = cv2.copyTo(foreground, whole.view(np.uint8), background.copy())
    out = np.asarray(on_it, foreground.dtype)
    soft = (alpha > 0) & ~whole
    a, f, b = alpha[soft][:, None], foreground[soft], background[soft]
    if blend == "linear":
        out[soft] = to_values(_between(to_light(b), to_light(f), a), out.dtype)
    else:
        out[soft] = np.rint(_between(b.astype(np.float32), f.astype(np.float32), a))
    return Image(out)


def _between(
    low: NDArray[np.float32], high: NDArray[np.float32], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    # In this form rounding leaves it monotone in the share, and exact where both are the same.
    return low + share * (high - low)
