"""HEIC pictures: made here by libheif's own encoder, and read as an iPhone's would be."""

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image as Pillow

from matte.errors import PictureError
from matte.media.pictures import read_mask, read_photo
from tests.conftest import disc
from tests.media.profiles import display_p3

IMAGE, ALPHA = disc(64, 96)


def heic(picture: Pillow.Image, **options: object) -> bytes:
    """Returns a HEIC file of a picture."""
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file, quality=95, chroma="444", **options)
    return file.getvalue()


def test_colours_profile_and_exif_are_read() -> None:
    picture = Pillow.fromarray(IMAGE)
    picture.info["icc_profile"] = display_p3()
    exif = Pillow.Exif()
    exif[0x010F] = "matte"
    picture.info["exif"] = exif.tobytes()
    photo = read_photo(heic(picture))
    assert photo.pixels.dtype == np.uint8
    assert np.abs(photo.pixels.astype(int) - IMAGE).mean() < 3
    assert photo.profile == display_p3()
    assert b"matte" in photo.exif


def test_a_picture_is_upright() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # a quarter turn to the right
    picture = Pillow.fromarray(IMAGE)
    picture.info["exif"] = exif.tobytes()
    turned = heic(picture)
    assert b"irot\x03" in turned
    as_stored = turned.replace(b"irot\x03", b"irot\x00")
    upright = np.rot90(read_photo(as_stored).pixels, 3)
    assert np.array_equal(read_photo(turned).pixels, upright)


def test_ten_bits_stay() -> None:
    deep = IMAGE.astype(np.uint16) * 257
    file = io.BytesIO()
    size = (IMAGE.shape[1], IMAGE.shape[0])
    pillow_heif.from_bytes("RGB;16", size, deep.tobytes()).save(file, quality=95, chroma="444")
    pixels = read_photo(file.getvalue()).pixels
    assert pixels.dtype == np.uint16
    assert np.abs(pixels / 257 - IMAGE).mean() < 3


def test_transparency_is_a_photo_s() -> None:
    cut = Pillow.fromarray(np.dstack([IMAGE, np.rint(255 * ALPHA).astype(np.uint8)]))
    transparency = read_photo(heic(cut)).transparency
    assert transparency is not None
    assert np.abs(transparency - ALPHA).mean() < 0.02


def test_damaged_ones_and_large_ones_get_a_line(tmp_path: Path) -> None:
    data = heic(Pillow.fromarray(IMAGE))
    with pytest.raises(PictureError, match="not a readable picture: save it as JPEG"):
        read_photo(data[: len(data) // 2])
    with pytest.raises(PictureError, match="megapixels"):
        read_photo(data, max_pixels=1000)
    with pytest.raises(PictureError, match="is an HEIC picture: save it as PNG"):
        read_mask(data)


def test_without_a_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = heic(Pillow.fromarray(IMAGE))
    monkeypatch.setattr("matte.media.heif.LIBRARIES", ())
    with pytest.raises(PictureError, match=r"is an HEIC picture: .*\[heif\]"):
        read_photo(data)
