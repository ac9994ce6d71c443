from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import (
    Blur,
    PictureFile,
    PlainColour,
    Transparent,
    colour_pixel,
    parse_background,
)
from matte.compositing.blend import blend_over
from matte.compositing.cutout import cut_out
from matte.compositing.defocus import defocus_background
from matte.compositing.fitting import fit_background
from matte.configs.lengths import Length
from matte.configs.settings import CompositingSettings
from matte.errors import PictureError, SettingError
from matte.media.pictures import Photo
from matte.media.profiles import convert_to_profile
from matte.photos.finishing import WHOLE_PICTURE, FinishOptions, PhotoFinisher
from tests.conftest import disc
from tests.media.profiles import display_p3

PIXELS, ALPHA = disc(48, 64)
PHOTO = Photo(PIXELS, display_p3())


def composed(finish: FinishOptions) -> Image:
    return Image(PhotoFinisher(finish).composer_for(PHOTO).compose(PIXELS, PIXELS, ALPHA))


def test_a_film_behind_a_photo_is_refused() -> None:
    with pytest.raises(SettingError, match=r"a\.mp4 is a video.*: give a picture with --bg"):
        FinishOptions(parse_background("a.mp4"))


def test_only_cut_outs_can_be_premultiplied() -> None:
    with pytest.raises(SettingError, match="--premultiply is for cut-outs: use --bg transparent"):
        FinishOptions(Blur(), premultiply=True)


def test_a_background_that_can_not_be_read_is_said_at_once(tmp_path: Path) -> None:
    finish = FinishOptions(PictureFile(tmp_path / "none.png"))
    assert finish.files() == [tmp_path / "none.png"]
    with pytest.raises(PictureError, match=r"none\.png"):
        PhotoFinisher(finish)


def test_a_plain_colour_is_brought_to_the_photos_profile() -> None:
    red = convert_to_profile(colour_pixel((255, 0, 0)), b"", PHOTO.profile)
    found = composed(FinishOptions(PlainColour((255, 0, 0))))
    assert np.array_equal(found, blend_over(PIXELS, ALPHA, red, "srgb"))
    assert (red != (255, 0, 0)).any()


def test_a_picture_is_brought_to_the_photos_profile_and_size(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Pillow.fromarray(picture).save(tmp_path / "p.png")
    settings = CompositingSettings(fit="tile", blend="linear")
    found = composed(FinishOptions(PictureFile(tmp_path / "p.png"), settings))
    converted = convert_to_profile(Image(picture), b"", PHOTO.profile)
    behind = fit_background(converted, 48, 64, "tile")
    assert np.array_equal(found, blend_over(PIXELS, ALPHA, behind, "linear"))


def test_a_gif_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    Pillow.new("RGB", (64, 48), "red").save(path)
    assert FinishOptions(parse_background(str(path))).files() == [path]
    assert (composed(FinishOptions(PictureFile(path)))[0, 0] != PIXELS[0, 0]).any()


def test_the_own_background_is_blurred_and_a_cut_out_has_none() -> None:
    behind = defocus_background(PIXELS, ALPHA, 3)
    assert np.array_equal(
        composed(FinishOptions(Blur(Length(3)))), blend_over(PIXELS, ALPHA, behind, "srgb")
    )
    assert np.array_equal(composed(FinishOptions(Transparent())), cut_out(PIXELS, ALPHA))


def test_the_crop_is_the_subjects_or_the_whole_picture() -> None:
    assert PhotoFinisher(FinishOptions()).crop_box(ALPHA) == WHOLE_PICTURE
    cropped = PhotoFinisher(FinishOptions(crop=Length(0)))
    rows, columns = cropped.crop_box(ALPHA)
    assert rows.stop - rows.start < 48
    assert columns.stop - columns.start < 64
    assert cropped.crop_box(Alpha(np.zeros((48, 64), np.float32))) == WHOLE_PICTURE
