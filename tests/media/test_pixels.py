import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.errors import MatteWarning
from matte.media.encoding import encode
from matte.media.pictures import decode_photo, read_image
from tests.media.files import chunk, noise, saved
from tests.media.files import png as png_file
from tests.media.files import tiff as tiff_file
from tests.media.profiles import cmyk_profile, coded, display_p3, grey_profile

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA", "I;16"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("p.tif" if mode == "CMYK" else "p.png")
    if mode == "I;16":
        Pillow.fromarray(np.full((4, 5), 257 * 200, np.uint16)).save(path)
    else:
        Pillow.new("RGB", (5, 4), "white").convert(mode).save(path)
    image = read_image(path)
    assert image.shape == (4, 5, 3)
    assert (image > 190).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    "profile", [b"nonsense", display_p3()[:300], cmyk_profile(), grey_profile(1.8)]
)
def test_profiles_that_do_not_fit_are_ignored_and_that_is_said(kind: str, profile: bytes) -> None:
    pixels = noise(4, 6, 3)
    plain = decode_photo(saved(pixels, kind), "p")
    with pytest.warns(MatteWarning, match="the colour profile of p is damaged or not for it") as w:
        photo = decode_photo(saved(pixels, kind, icc_profile=profile), "p")
    assert len(w) == 1
    assert photo.profile == b""
    assert np.array_equal(photo.pixels, plain.pixels)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_grey_pictures_leave_their_profile_for_srgb(deep: bool, alpha: bool) -> None:
    dtype, top = (np.uint16, 65535) if deep else (np.uint8, 255)
    grey: NDArray[Any] = np.linspace(top // 8, top, 24).astype(dtype).reshape(4, 6)
    rows = np.dstack([grey, np.full_like(grey, top // 3)]) if alpha else grey
    body = rows.astype(rows.dtype.newbyteorder(">")).reshape(4, -1)
    lines = b"".join(b"\0" + line.tobytes() for line in body)
    packed = chunk(b"iCCP", b"x\0\0" + zlib.compress(grey_profile(1.8)))
    data = png_file(6, 4, 16 if deep else 8, 4 if alpha else 0, lines, packed)
    photo = decode_photo(data, "p")
    assert photo.profile == b""
    assert photo.pixels.dtype == dtype
    expected = np.repeat(coded((grey / top) ** 1.8)[:, :, None], 3, axis=2)
    if alpha:
        assert photo.transparency is not None
        assert np.allclose(photo.transparency, 1 / 3, atol=1 / 255)
        expected = expected / 3 + 2 / 3
    assert np.abs(photo.pixels / top - expected).max() < 1 / 255


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_brought_to_srgb_by_its_profile(kind: str) -> None:
    inks = {"cyan": (255, 0, 0, 0), "magenta": (0, 255, 0, 0), "white": (0,) * 4, "none": (0,) * 4}
    inks["none"] = (0, 0, 0, 255)
    picture = Pillow.new("CMYK", (64, 16))
    for i, ink in enumerate(inks.values()):
        picture.paste(ink, (16 * i, 0, 16 * i + 16, 16))
    options = {"quality": 100} if kind == "JPEG" else {}
    photo = decode_photo(saved(picture, kind, icc_profile=cmyk_profile(), **options), "p")
    assert photo.profile == b""
    found = photo.pixels[8, 8::16].astype(int)
    expected = [(0, 170, 238), (223, 21, 130), (255, 255, 255), (0, 0, 0)]  # of the profile's Lab
    assert np.abs(found - expected).max() <= 3
    plain = decode_photo(saved(picture, kind, **options), "p").pixels[8, 8::16].astype(int)
    assert np.abs(plain - [(0, 255, 255), (255, 0, 255), (255, 255, 255), (0, 0, 0)]).max() <= 3


def test_lab_is_brought_to_srgb() -> None:
    lab = Pillow.merge("LAB", [Pillow.new("L", (4, 4), v) for v in (138, 208, 198)])
    data = saved(lab, "TIFF", icc_profile=display_p3())
    photo = decode_photo(data, "p")
    assert photo.profile == b""
    red, green, blue = photo.pixels[0, 0].tolist()
    assert red > 190 > 100 > green > blue


def test_16_bit_cmyk_is_read_with_8() -> None:
    ink = np.zeros((4, 4, 4), "<u2")
    ink[..., 1] = 65535
    tags = {0x100: (4,), 0x101: (4,), 0x102: (16,) * 4, 0x103: (1,), 0x106: (5,), 0x115: (4,)}
    pixels = decode_photo(tiff_file(tags, ink.tobytes()), "p").pixels
    assert pixels.dtype == np.uint8
    assert (pixels == (255, 0, 255)).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("extra", [(), (0,), (1,), (2,)])
def test_the_fourth_channel_of_deep_tiffs_is_what_the_tags_say(
    extra: tuple[int, ...], order: str
) -> None:
    stored = np.zeros((3, 5, 4), np.uint16)
    stored[..., :3], stored[..., 3] = 20_000, 40_000
    tags = {0x100: (5,), 0x101: (3,), 0x102: (16,) * 4, 0x103: (1,), 0x106: (2,), 0x115: (4,)}
    if extra:
        tags[0x152] = extra
    body = stored.astype(f"{order}u2").tobytes()
    photo = decode_photo(tiff_file(tags, body, order), "p")
    assert photo.pixels.dtype == np.uint16
    if extra == (0,):
        assert photo.transparency is None
        assert (photo.pixels == 20_000).all()
        return
    assert photo.transparency is not None
    assert np.allclose(photo.transparency, 40_000 / 65535)
    straight = 20_000 * 65535 / 40_000 if extra == (1,) else 20_000
    expected = 65535 + (straight - 65535) * 40_000 / 65535
    assert np.abs(photo.pixels - expected).max() <= 1


@pytest.mark.parametrize(("order", "white"), [("<", 0), ("<", 1), (">", 1)])
def test_white_may_be_zero(order: str, white: int) -> None:
    grey = np.full((3, 4), 1000, f"{order}u2")
    tags = {0x100: (4,), 0x101: (3,), 0x102: (16,), 0x103: (1,), 0x106: (white,), 0x115: (1,)}
    pixels = decode_photo(tiff_file(tags, grey.tobytes(), order), "p").pixels
    assert (pixels == (1000 if white else 65535 - 1000)).all()


def test_12_bits_fill_16() -> None:
    packed = bytes.fromhex("fff000800fff")  # 4095, 0, 2048, 4095
    tags = {0x100: (4,), 0x101: (1,), 0x102: (12,), 0x103: (1,), 0x106: (1,), 0x115: (1,)}
    pixels = decode_photo(tiff_file(tags, packed), "p").pixels
    assert pixels[0, :, 0].tolist() == [65535, 0, 2048 * 65535 // 4095, 65535]


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGB", "RGBA", "CMYK", "transparent", "P+"])
def test_pictures_are_read_in_strips_as_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    picture, told = Pillow.fromarray(noise(37, 23, 4)), {}
    if mode in ("transparent", "P+"):
        picture = picture.convert("RGB" if mode == "transparent" else "P")
        told["transparency"] = 7 if mode == "P+" else picture.getpixel((3, 3))
    elif mode != "RGBA":
        picture = picture.convert("RGB").convert(mode)
    data = saved(picture, "TIFF" if mode == "CMYK" else "PNG", **told)
    found = []
    for pixels in (1 << 30, 100):
        monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", pixels)
        found.append(decode_photo(data, "p"))
    assert np.array_equal(found[0].pixels, found[1].pixels)
    if mode in ("RGBA", "transparent", "P+"):
        assert found[0].transparency is not None
        assert found[1].transparency is not None
        assert np.array_equal(found[0].transparency, found[1].transparency)


@pytest.mark.parametrize("channels", [3, 4])
def test_deep_pictures_are_read_in_strips_as_whole(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = noise(37, 23, channels, dtype=np.uint16)
    monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", 100)
    found = decode_photo(encode(deep, ".png"), "p")
    if channels == 3:
        assert np.array_equal(found.pixels, deep)
    else:
        alpha = deep[:, :, 3:] / 65535
        exact = 65535 - alpha * (65535.0 - deep[:, :, :3])
        assert np.abs(found.pixels - exact).max() < 0.51
