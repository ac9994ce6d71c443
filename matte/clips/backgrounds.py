"""What lies behind the subject in each frame of a video, and the subject on it."""

import warnings
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import (
    Background,
    Blur,
    Colour,
    Picture,
    Transparent,
    plain,
)
from matte.compositing.blend import mixed
from matte.compositing.grounds import Fit, fitted, out_of_focus
from matte.configs.lengths import Length
from matte.configs.settings import CompositingSettings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.imaging.bit_depth import convert_depth
from matte.imaging.resizing import resize
from matte.media.colours import in_profile
from matte.media.encoding import with_alpha
from matte.media.opening import MAX_PIXELS
from matte.media.pictures import read_photo
from matte.media.video.clip import Broken, open_clip
from matte.media.video.opening import REMEDY

After = Literal["loop", "hold"]
AFTERS: tuple[After, ...] = get_args(After)
SQUARE = Fraction(1)


class Ground(Protocol):
    """The grounds of frames that follow one another."""

    def at(self, seconds: Fraction, image: Image, alpha: Alpha) -> Image:
        """RGB, in the frame's size and depth.

        `seconds`, the frame's time, may begin anywhere, but never goes back.
        """
        ...


@contextmanager
def open_ground(
    background: Background,
    fit: Fit = "cover",
    after: After = "loop",
    *,
    aspect: Fraction = SQUARE,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Ground]:
    """The grounds that are asked for; raises PictureError if their file can't be read.

    A film begins with the first frame that is asked for, whatever its time; when it is over, it
    begins again ("loop") or its last frame stays ("hold"). A GIF is a film. `aspect` is how wide
    the frames' pixels are shown: pictures and films look right on pixels that are not square.
    """
    if after not in AFTERS:
        raise SettingError(f"after = {after!r}", "give " + " or ".join(AFTERS))
    if isinstance(background, Colour):
        yield _Plain(background)
    elif isinstance(background, Blur):
        yield _OwnGround(background.radius)
    elif isinstance(background, Transparent):
        raise SettingError("a transparent background is none", "give another one")
    elif isinstance(background, Picture) and background.path.suffix.lower() != ".gif":
        yield _Still(background.path, fit, aspect, max_pixels)
    else:
        with closing(_Moving(background.path, fit, after, aspect, max_pixels)) as film:
            yield film


class Composer:
    """Puts the subject of each frame on its ground, or cuts it out; `with` closes the ground."""

    def __init__(
        self,
        background: Background,
        settings: CompositingSettings,
        after: After = "loop",
        *,
        premultiply: bool = False,
        aspect: Fraction = SQUARE,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        """As `open_ground`; cut-outs have straight colours unless they shall be premultiplied."""
        transparent = isinstance(background, Transparent)
        if premultiply and not transparent:
            raise SettingError("--premultiply is for cut-outs", "use --bg transparent")
        self._premultiply = premultiply
        self._blend = settings.blend
        self._open = ExitStack()
        self._ground: Ground | None = None
        if not transparent:
            ground = open_ground(
                background, settings.fit, after, aspect=aspect, max_pixels=max_pixels
            )
            self._ground = self._open.enter_context(ground)

    def composite(
        self, seconds: Fraction, image: Image, foreground: Image, alpha: Alpha
    ) -> NDArray[Any]:
        """RGB on the ground, or RGBA, in the frame's size and depth. `seconds` never go back."""
        if self._ground is None:
            return with_alpha(foreground, alpha, self._premultiply)
        ground = self._ground.at(seconds, image, alpha)
        return mixed(foreground, alpha, ground, self._blend)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


class _Plain:
    def __init__(self, colour: Colour) -> None:
        self._pixel = plain(colour.rgb)
        self._fitting = _Fitting("stretch", SQUARE)  # mixing is faster than with a pixel

    def at(self, seconds: Fraction, image: Image, alpha: Alpha) -> Image:
        return self._fitting(self._pixel, image)


class _OwnGround:
    def __init__(self, radius: Length) -> None:
        self._radius = radius

    def at(self, seconds: Fraction, image: Image, alpha: Alpha) -> Image:
        return out_of_focus(image, alpha, self._radius.pixels(max(alpha.shape)), quick=True)


class _Fitting:
    """Brings pictures to the frames' size and depth; the same one only once."""

    def __init__(self, fit: Fit, wider: Fraction, quick: bool = False) -> None:
        """A picture's pixels are `wider` than the frames'."""
        self._fit, self._wider, self._quick = fit, wider, quick
        self._picture = self._fitted = Image(np.empty((0, 0, 3), np.uint8))

    def __call__(self, picture: Image, frame: Image) -> Image:
        """The picture, as it lies behind this frame."""
        done = self._fitted
        if picture is not self._picture or (done.shape, done.dtype) != (frame.shape, frame.dtype):
            rows, columns = picture.shape[:2]
            seen = Image(convert_depth(picture, frame.dtype))
            if self._wider != 1:
                seen = Image(resize(seen, rows, max(1, round(columns * self._wider))))
            height, width = frame.shape[:2]
            self._fitted = fitted(seen, height, width, self._fit, self._quick)
            self._picture = picture
        return self._fitted


class _Still:
    def __init__(self, path: Path, fit: Fit, aspect: Fraction, max_pixels: int) -> None:
        photo = read_photo(path, max_pixels)
        self._picture = in_profile(photo.pixels, photo.profile, b"")
        self._fitting = _Fitting(fit, 1 / aspect)

    def at(self, seconds: Fraction, image: Image, alpha: Alpha) -> Image:
        return self._fitting(self._picture, image)


class _Moving:
    """A film, decoded as it is needed: a frame is held, and the one after it."""

    def __init__(
        self, path: Path, fit: Fit, after: After, aspect: Fraction, max_pixels: int
    ) -> None:
        self._clip = open_clip(path, max_pixels)
        self._loops = after == "loop"
        self._fitting = _Fitting(fit, self._clip.facts.sample_aspect / aspect, quick=True)
        self._begun: Fraction | None = None
        self._said = False
        self._coming = self._shown_from()
        first = next(self._coming, None)
        if first is None:
            raise PictureError(f"{path} has no whole frames", REMEDY)
        self._shown = first[1]
        self._next = next(self._coming, None)

    def at(self, seconds: Fraction, image: Image, alpha: Alpha) -> Image:
        if self._begun is None:
            self._begun = seconds
        while self._next is not None and self._next[0] <= seconds - self._begun:
            self._shown = self._next[1]
            self._next = next(self._coming, None)
        return self._fitting(self._shown, image)

    def close(self) -> None:
        self._coming.close()

    def _shown_from(self) -> Generator[tuple[Fraction, Image], None, None]:
        """Every whole frame and its time: of the first pass, and if it loops, of all others."""
        begin, whole = Fraction(0), False
        while True:
            end = begin
            for frame in self._clip.frames():
                time = self._clip.seconds(frame.pts)
                if isinstance(frame, Broken):
                    self._warn(frame.fault, time)
                else:
                    yield begin + time, frame.pixels
                    whole = True
                end = max(end, begin + self._clip.seconds(frame.pts + frame.duration))
            if not self._loops or not whole or end == begin:
                return
            begin = end

    def _warn(self, fault: str, time: Fraction) -> None:
        if not self._said:
            text = f"{self._clip.path} is damaged at {float(time):.2f} s ({fault})"
            warnings.warn(f"{text}: what was before stays", MatteWarning, stacklevel=2)
            self._said = True
