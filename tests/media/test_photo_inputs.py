import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from matte.arrays import Image
from matte.errors import PictureError
from matte.media.photo_inputs import as_photo, photo_from_pixels
from matte.media.pictures import Photo

RGB = Image(np.random.default_rng(0).integers(0, 256, (12, 9, 3), np.uint8))
ALPHA = np.random.default_rng(1).integers(0, 255, (12, 9), np.uint8)


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_photos_and_files_stay_what_they_are() -> None:
    photo = Photo(RGB)
    assert as_photo(photo) is photo
    assert np.array_equal(as_photo(png(RGB)).pixels, RGB)


def test_transparent_pixels_are_as_a_transparent_file() -> None:
    rgba = np.dstack([RGB, ALPHA])
    expected, found = as_photo(png(rgba)), as_photo(rgba)
    assert np.array_equal(found.pixels, expected.pixels)
    assert found.transparency is not None
    assert expected.transparency is not None
    assert np.array_equal(found.transparency, expected.transparency)
    assert photo_from_pixels(np.dstack([RGB, np.full_like(ALPHA, 255)])).transparency is None


@pytest.mark.parametrize("shape", [(12, 9), (12, 9, 1)])
def test_grey_pixels_are_tripled(shape: tuple[int, ...]) -> None:
    assert np.array_equal(photo_from_pixels(ALPHA.reshape(shape)).pixels[:, :, 1], ALPHA)


def test_floats_become_16_bits() -> None:
    found = photo_from_pixels(RGB / 255).pixels
    assert found.dtype == np.uint16
    assert np.array_equal(found, RGB.astype(np.uint16) * 257)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_floats_out_of_range_are_refused(value: float) -> None:
    with pytest.raises(PictureError, match="floats outside 0 … 1: scale it to 0 … 1"):
        photo_from_pixels(np.full((3, 3, 3), value))


@pytest.mark.parametrize(
    "array", [np.zeros((3, 3, 5), np.uint8), np.zeros((3, 3, 4), np.int32), np.zeros((0, 3, 3))]
)
def test_what_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(PictureError):
        photo_from_pixels(array)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "YCbCr", "HSV", "CMYK"])
def test_pillows_pictures_of_any_mode(mode: str) -> None:
    whole = np.dstack([RGB, ALPHA]) if mode in ("LA", "RGBA") else RGB
    picture = Pillow.fromarray(whole).convert(mode)
    found = as_photo(picture)
    expected = np.asarray(picture.convert("RGB"))
    assert found.pixels.shape == (12, 9, 3)
    if mode in ("LA", "RGBA"):
        assert found.transparency is not None
    else:
        assert np.array_equal(found.pixels, expected)


def test_pillows_pictures_keep_16_bits_and_their_profile_and_stand_upright() -> None:
    deep = Pillow.fromarray(ALPHA.astype(np.uint16) * 257)
    assert as_photo(deep).pixels.dtype == np.uint16
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    turned = Pillow.fromarray(RGB)
    turned.getexif()[0x0112] = 6
    turned.info["icc_profile"] = profile
    found = as_photo(turned)
    assert found.profile == profile
    assert np.array_equal(found.pixels, np.rot90(RGB, -1))


def test_pictures_over_the_limit_are_refused() -> None:
    with pytest.raises(PictureError, match="--max-pixels"):
        as_photo(Pillow.fromarray(RGB), max_pixels=50)


@pytest.mark.parametrize("value", [None, ["a.jpg", "b.jpg"], object()])
def test_what_is_no_picture_is_said(value: Any) -> None:
    kind = type(value).__name__
    with pytest.raises(PictureError, match=f"^a value of type {kind} is no picture: give a file, "):
        as_photo(value)
