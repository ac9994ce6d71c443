"""Subjects cut out, or blended over a background: one composer for photos and video frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.compositing.blend import Blend, blend_over
from matte.compositing.cutout import cut_out
from matte.compositing.defocus import defocus_background
from matte.compositing.fitting import MIDDLE, Fit, Position, fit_background, widen_pixels
from matte.configs.lengths import Length
from matte.errors import SettingError
from matte.imaging.bit_depth import convert_depth
from matte.imaging.light import Curve

BEGINNING = Fraction(0)


class Ground(Protocol):
    """The background of a photo, or of video frames that follow one another."""

    def background_for(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
        """Return the background of this image: RGB of its size, or one pixel for a plain colour.

        It has 8 or 16 bits, whatever the image has. `seconds`, a frame's time, may begin anywhere,
        but never goes back; photos have 0.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Composer:
    """Cuts subjects out, or blends them over a ground.

    Without a ground the result is RGBA, with straight colours unless `premultiply` multiplies them
    with alpha. `blend` is what is weighted at soft edges: "srgb", the stored values, or "linear",
    the light that they stand for.
    """

    ground: Ground | None = None
    blend: Blend = "srgb"
    premultiply: bool = False
    curve: Curve = "srgb"
    """What stored values are as light."""

    def __post_init__(self) -> None:
        if self.premultiply and self.ground is not None:
            raise SettingError("--premultiply is for cut-outs", "use --bg transparent")

    def compose(
        self, image: Image, foreground: Image, alpha: Alpha, seconds: Fraction = BEGINNING
    ) -> NDArray[Any]:
        """Return the subject on its ground as RGB, or cut out as RGBA, in the image's depth.

        `image` (H, W, 3) RGB is the photo or frame, `foreground` (H, W, 3) the subject's own
        colours, `alpha` (H, W) 0 … 1. `seconds` is a frame's time, and never goes back.
        """
        if self.ground is None:
            return cut_out(foreground, alpha, self.premultiply)
        background = self.ground.background_for(image, alpha, seconds)
        return blend_over(foreground, alpha, background, self.blend, self.curve)


class PictureGround:
    """A picture, fitted to the images' size: once for images of one size; or a plain colour."""

    def __init__(self, picture: Image, fit: Fit = "cover", position: Position = MIDDLE) -> None:
        self._picture, self._fit, self._position = picture, fit, position
        self._fitted: Image | None = None

    def background_for(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
        """Return the fitted picture in its own depth; one pixel, a plain colour, as it is."""
        height, width = image.shape[:2]
        if self._picture.shape[:2] == (1, 1):
            return self._picture
        if self._fitted is None or self._fitted.shape[:2] != (height, width):
            self._fitted = fit_background(
                self._picture, height, width, self._fit, position=self._position
            )
        return self._fitted


class DefocusedGround:
    """The image's own background, out of focus."""

    def __init__(self, radius: Length, quick: bool = False, curve: Curve = "srgb") -> None:
        """`radius` is that of the disc that a point becomes; `quick` is for frames of video.

        `curve` says what stored values are as light.
        """
        self._radius, self._quick, self._curve = radius, quick, curve

    def background_for(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
        """Return the image's background, blurred, the subject filled in from its surroundings."""
        radius = self._radius.pixels(max(alpha.shape))
        return defocus_background(image, alpha, radius, self._quick, self._curve)


class FilmGround:
    """A film: the frame whose time has come, fitted to the images' size.

    It begins with the first image, whatever that image's time. Frames are taken from the iterator
    as they are needed: one is held, and the one after it.
    """

    def __init__(
        self,
        frames: Iterator[tuple[Fraction, Image]],
        fit: Fit = "cover",
        pixel_aspect: Fraction = Fraction(1),
        position: Position = MIDDLE,
    ) -> None:
        """`frames` are RGB pictures, one at least, each with its seconds, which ascend from 0.

        `pixel_aspect` is how many times as wide the film's pixels are shown as the images'.
        """
        self._frames, self._fit, self._pixel_aspect = frames, fit, pixel_aspect
        self._position = position
        self._begin: Fraction | None = None
        self._shown = next(frames)[1]
        self._next = next(frames, None)
        self._fitted: Image | None = None

    def background_for(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
        """Return the film's frame at this time, fitted, in the image's depth."""
        if self._begin is None:
            self._begin = seconds
        while self._next is not None and self._next[0] <= seconds - self._begin:
            self._shown, self._fitted = self._next[1], None
            self._next = next(self._frames, None)
        found = self._fitted
        if found is None or (found.shape, found.dtype) != (image.shape, image.dtype):
            picture = Image(convert_depth(self._shown, image.dtype))
            picture = widen_pixels(picture, self._pixel_aspect)
            height, width = image.shape[:2]
            found = fit_background(
                picture, height, width, self._fit, quick=True, position=self._position
            )
            self._fitted = found
        return found
