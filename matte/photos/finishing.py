"""From a photo's matte to the picture that was asked for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, FloatArray, Image
from matte.compositing.backgrounds import (
    Background,
    Blur,
    FilmFile,
    PictureFile,
    PlainColour,
    Transparent,
    colour_pixel,
)
from matte.compositing.canvas import (
    Canvas,
    PlacedSubject,
    compose_on_canvas,
    place_on_canvas,
    shadow_of,
)
from matte.compositing.composer import BEGINNING, Composer, DefocusedGround, Ground, PictureGround
from matte.compositing.crop import subject_box
from matte.configs.lengths import Length
from matte.configs.settings import CompositingSettings
from matte.errors import SettingError
from matte.imaging.bit_depth import convert_depth
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.pictures import Photo, read_photo
from matte.media.profiles import convert_to_profile
from matte.photos.shops import ShopRules, finish_facts
from matte.stages import Matte

WHOLE_PICTURE = (slice(None), slice(None))


@dataclass(frozen=True, slots=True)
class FinishOptions:
    """How photos are finished: their background, how it is blended, how they are cropped.

    `crop` is the margin around the subject; None keeps the whole picture. `canvas` is where the
    subject is put instead; `rules` are those that a shop has for it.
    """

    background: Background = field(default_factory=Transparent)
    compositing: CompositingSettings = field(default_factory=CompositingSettings)
    premultiply: bool = False
    crop: Length | None = None
    canvas: Canvas | None = None
    rules: ShopRules | None = None

    def __post_init__(self) -> None:
        if self.premultiply and not self.transparent:
            raise SettingError("--premultiply is for cut-outs", "use --bg transparent")
        if self.canvas is not None and self.crop is not None:
            raise SettingError("--canvas and --crop exclude each other", "give one of them")
        if self.canvas is not None and isinstance(self.background, Blur):
            raise SettingError("a photo's own background fits no canvas", "give another --bg")
        if isinstance(self.background, FilmFile):
            cause = f"{self.background.path} is a video, and pictures have none behind them"
            raise SettingError(cause, "give a picture with --bg")

    @property
    def transparent(self) -> bool:
        """Whether the picture will have an alpha channel."""
        return isinstance(self.background, Transparent)

    def files(self) -> list[Path]:
        """Return the files that are read for the background."""
        return [self.background.path] if isinstance(self.background, PictureFile) else []


@dataclass(frozen=True, slots=True, eq=False)
class FinishedPhoto:
    """A finished picture, and what a report says of that."""

    picture: NDArray[Any]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class PictureLayers:
    """What a finished picture is composed of.

    `original` are the photo's own colours; None on a canvas, which has none of them. `ground` is
    the background; None for a cut-out. `shadow` is how much the subject's shadow darkens what is
    behind it, 0 … 1; None for none. `facts` are a report's.
    """

    original: Image | None
    colours: Image
    alpha: Alpha
    ground: Image | None
    shadow: FloatArray | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class PhotoFinisher:
    """Composes and crops photos alike; a background's file is read once for all of them."""

    def __init__(self, finish: FinishOptions, max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
        self.finish_options = finish
        self._picture: Photo | None = None
        if isinstance(finish.background, PictureFile):
            self._picture = read_photo(finish.background.path, max_pixels)

    def layers(self, photo: Photo, matte: Matte) -> PictureLayers:
        """Return what the finished picture is composed of, for formats that hold layers."""
        composer, canvas = self.composer_for(photo), self.finish_options.canvas
        colours, alpha = matte.foreground, matte.alpha
        ground, shadow, facts = None, None, {}
        if canvas is not None:
            placed = place_on_canvas(colours, alpha, canvas)
            colours, alpha = placed.colours, placed.alpha
            facts = self._canvas_facts(canvas, placed)
            shadow = None if canvas.shadow is None else shadow_of(alpha, canvas.shadow)
        if composer.ground is not None:
            image = photo.pixels if canvas is None else colours
            ground = composer.ground.background_for(image, alpha, BEGINNING)
            ground = Image(np.broadcast_to(convert_depth(ground, colours.dtype), colours.shape))
        box = self.crop_box(matte.alpha) if canvas is None else WHOLE_PICTURE
        return PictureLayers(
            Image(photo.pixels[box]) if canvas is None else None,
            Image(colours[box]),
            Alpha(alpha[box]),
            None if ground is None else Image(ground[box]),
            shadow,
            facts,
        )

    def finish(self, photo: Photo, matte: Matte) -> FinishedPhoto:
        """Return the finished picture: composed, and cropped or put on its canvas."""
        composer, canvas = self.composer_for(photo), self.finish_options.canvas
        if canvas is None:
            picture = composer.compose(photo.pixels, matte.foreground, matte.alpha)
            return FinishedPhoto(np.ascontiguousarray(picture[self.crop_box(matte.alpha)]))
        placed = place_on_canvas(matte.foreground, matte.alpha, canvas)
        picture = compose_on_canvas(placed, composer, canvas.shadow)
        return FinishedPhoto(picture, self._canvas_facts(canvas, placed))

    def _canvas_facts(self, canvas: Canvas, placed: PlacedSubject) -> dict[str, Any]:
        """Return what a report says of a subject on its canvas."""
        options = self.finish_options
        return finish_facts(canvas, placed, options.background, options.rules)

    def composer_for(self, photo: Photo) -> Composer:
        """Return the composer of this photo: its ground is in the photo's colour profile."""
        blend = self.finish_options.compositing.blend
        return Composer(self._ground(photo.profile), blend, self.finish_options.premultiply)

    def crop_box(self, alpha: Alpha) -> tuple[slice, slice]:
        """Return the rows and columns that are kept: all of them, or those of the subject."""
        if self.finish_options.crop is None:
            return WHOLE_PICTURE
        return subject_box(alpha, self.finish_options.crop) or WHOLE_PICTURE

    def _ground(self, profile: bytes) -> Ground | None:
        """Return the background of photos with this colour profile; None for a cut-out."""
        background, fit = self.finish_options.background, self.finish_options.compositing.fit
        if isinstance(background, Transparent):
            return None
        if isinstance(background, Blur):
            return DefocusedGround(background.radius)
        if isinstance(background, PlainColour):
            return PictureGround(convert_to_profile(colour_pixel(background.rgb), b"", profile))
        assert self._picture is not None
        picture = convert_to_profile(self._picture.pixels, self._picture.profile, profile)
        return PictureGround(picture, fit, self.finish_options.compositing.place)
