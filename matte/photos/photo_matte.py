"""A photo's matte as library users have it: with the photo, and what is made of both."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import as_colour, background_text, colour_pixel, parse_background
from matte.compositing.blend import Blend
from matte.compositing.composer import Composer, PictureGround
from matte.compositing.cutout import cut_out
from matte.compositing.fitting import Fit
from matte.configs.python_names import python_names
from matte.configs.settings import CompositingSettings
from matte.configs.tables import from_table
from matte.files import check_outputs
from matte.media.photo_inputs import PhotoInput, as_photo
from matte.media.pictures import Photo
from matte.media.profiles import convert_to_profile
from matte.photos.finishing import FinishOptions, PhotoFinisher
from matte.photos.outputs import PhotoOutputs
from matte.stages import Matte

# Three numbers are a colour; a text is a picture's path, a colour, "blur" or "transparent".
BackgroundInput = PhotoInput | ArrayLike


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhotoMatte(Matte):
    """The matte of a photo, whose arrays have its height and width; `photo` is as it was read."""

    photo: Photo

    @property
    def cutout(self) -> NDArray[Any]:
        """The subject alone, RGBA with its own colours."""
        return cut_out(self.foreground, self.alpha)

    def composite(
        self,
        background: BackgroundInput,
        *,
        fit: Fit = "cover",
        position: str = "50%,50%",
        blend: Blend = "srgb",
    ) -> NDArray[Any]:
        """Return the subject on a background, as `matte.composite` takes it, in the photo's size.

        >>> matte.load("fast")("portrait.jpg").composite("blur").shape
        (512, 512, 3)
        """
        with python_names():
            settings = compositing_settings(fit, position, blend)
            return compose_photo(self.photo, self.foreground, self.alpha, background, settings)

    def save(
        self,
        path: str | Path,
        background: str | Path = "transparent",
        *,
        fit: Fit = "cover",
        position: str = "50%,50%",
        blend: Blend = "srgb",
        overwrite: bool = False,
    ) -> Path:
        """Write the cut-out, or the subject on a background as `matte --bg` takes it; return where.

        The file's ending is its format; the photo's colour profile and EXIF are kept. A file that
        exists is replaced only with `overwrite`.

        >>> matte.load("fast")("portrait.jpg").save("beach-portrait.jpg", "beach.jpg")
        PosixPath('beach-portrait.jpg')
        """
        with python_names():
            settings = compositing_settings(fit, position, blend)
            finish = FinishOptions(parse_background(background_text(background)), settings)
            target = Path(path)
            outputs = PhotoOutputs(target)
            (_, suffixes), *_ = outputs.paths(finish.transparent)
            check_outputs([(target, suffixes)], finish.files(), overwrite)
            outputs.write(self.photo, self, PhotoFinisher(finish), overwrite, finish.files())
        return target

    def __repr__(self) -> str:
        """Return the size and how much of it is the subject."""
        height, width = self.alpha.shape
        return f"<matte {width}×{height}, subject {float(np.mean(self.alpha)):.1%}>"


def compositing_settings(fit: Fit, position: str, blend: Blend) -> CompositingSettings:
    """Return the settings of putting the subject on a background; raise for wrong ones."""
    table = {"fit": fit, "position": position, "blend": blend}
    return from_table(CompositingSettings, table, "compositing")


def compose_photo(
    photo: Photo,
    colours: Image,
    alpha: Alpha,
    background: BackgroundInput,
    settings: CompositingSettings,
) -> NDArray[Any]:
    """Return a photo's subject, of these colours, on a background; RGBA on a transparent one."""
    if isinstance(background, str | Path):
        finisher = PhotoFinisher(FinishOptions(parse_background(str(background)), settings))
        composer = finisher.composer_for(photo)
    else:
        ground = PictureGround(
            _background_pixels(background, photo.profile), settings.fit, settings.place
        )
        composer = Composer(ground, settings.blend)
    return composer.compose(photo.pixels, colours, alpha)


def _background_pixels(background: Any, profile: bytes) -> Image:
    """Return a background that is no text, in a photo's colour profile."""
    if isinstance(background, list | tuple | np.ndarray) and np.ndim(background) == 1:
        return colour_pixel(as_colour(background))
    picture = as_photo(background)
    if not picture.profile:
        return picture.pixels
    return convert_to_profile(picture.pixels, picture.profile, profile)
