"""From a matte to the picture that was asked for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import (
    Background,
    Blur,
    Colour,
    Film,
    Picture,
    Transparent,
    plain,
)
from matte.compositing.blend import put_on
from matte.compositing.crop import subject_box
from matte.compositing.grounds import out_of_focus
from matte.configs.lengths import Length
from matte.configs.settings import CompositingSettings
from matte.errors import SettingError
from matte.media.colours import in_profile
from matte.media.encoding import with_alpha
from matte.media.opening import MAX_PIXELS
from matte.media.pictures import Photo, read_photo

WHOLE = (slice(None), slice(None))


@dataclass(frozen=True, slots=True)
class Finish:
    """What becomes of a picture's matte: its ground, how it is mixed with it, what is kept."""

    background: Background = field(default_factory=Transparent)
    compositing: CompositingSettings = field(default_factory=CompositingSettings)
    premultiply: bool = False
    crop: Length | None = None

    def __post_init__(self) -> None:
        if self.premultiply and not self.transparent:
            raise SettingError("--premultiply is for cut-outs", "leave --bg out")
        if isinstance(self.background, Film):
            cause = f"{self.background.path} is a video, and pictures have none behind them"
            raise SettingError(cause, "give a picture with --bg")

    @property
    def transparent(self) -> bool:
        """Whether the picture will have an alpha channel."""
        return isinstance(self.background, Transparent)

    def files(self) -> list[Path]:
        """The files that are read for it."""
        return [self.background.path] if isinstance(self.background, Picture) else []


class Finisher:
    """Finishes pictures alike; a background's file is read once."""

    def __init__(self, finish: Finish, max_pixels: int = MAX_PIXELS) -> None:
        self.finish = finish
        self._ground: Photo | None = None
        if isinstance(finish.background, Picture):
            self._ground = read_photo(finish.background.path, max_pixels)

    def picture(self, photo: Photo, foreground: Image, alpha: Alpha) -> NDArray[Any]:
        """RGB on the background, or RGBA; of the photo's size, depth and colour space."""
        if self.finish.transparent:
            return with_alpha(foreground, alpha, self.finish.premultiply)
        ground, settings = self._background(photo, alpha), self.finish.compositing
        return put_on(ground, foreground, alpha, settings.fit, settings.blend)

    def kept(self, alpha: Alpha) -> tuple[slice, slice]:
        """The rows and columns that are kept: all of them, or those of the subject."""
        if self.finish.crop is None:
            return WHOLE
        return subject_box(alpha, self.finish.crop) or WHOLE

    def _background(self, photo: Photo, alpha: Alpha) -> Image:
        asked = self.finish.background
        if isinstance(asked, Blur):
            return out_of_focus(photo.pixels, alpha, asked.radius.pixels(max(alpha.shape)))
        if isinstance(asked, Colour):
            return in_profile(plain(asked.rgb), b"", photo.profile)
        assert self._ground is not None
        return in_profile(self._ground.pixels, self._ground.profile, photo.profile)
