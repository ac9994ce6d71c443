import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.errors import MatteWarning, PictureError
from matte.media import png
from matte.media.encoding import encode
from matte.media.pictures import decode_photo, read_alpha, read_image, read_mask, read_trimap
from matte.media.tiff import encode_tiff
from tests.conftest import save
from tests.media.files import chunk, exif, noise, said, saved
from tests.media.profiles import display_p3, grey_profile

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("shape", [(9, 7, 3), (9, 7)])
def test_16_bits_are_kept(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    deep = RANDOM.integers(0, 65536, shape, np.uint16)
    read = read_image(save(tmp_path / f"p{suffix}", deep))
    assert read.dtype == np.uint16
    assert np.array_equal(read, deep if deep.ndim == 3 else np.dstack([deep] * 3))


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0"])
def test_a_whole_picture_with_damaged_exif_data_is_read(tmp_path: Path, exif: bytes) -> None:
    Pillow.new("RGB", (5, 4), "white").save(tmp_path / "p.webp", exif=exif)
    assert read_image(tmp_path / "p.webp").shape == (4, 5, 3)


def test_transparent_parts_are_put_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    image = read_image(save(tmp_path / "p.png", rgba))
    assert image[0, 0].tolist() == [10, 20, 30]
    assert (image[1] == 255).all()


def test_masks_and_trimaps_of_cut_outs_are_their_transparency(tmp_path: Path) -> None:
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 3] = (0, 128, 255)
    path = save(tmp_path / "p.png", rgba)
    assert read_trimap(path).tolist() == [[0, 128, 255]]
    assert read_mask(path).tolist() == [[0, 255, 255]]
    assert np.allclose(read_alpha(path), [[0, 128 / 255, 1]])


@pytest.mark.parametrize("content", [b"", b"not a picture", None, "half"])
def test_unreadable_pictures_are_named(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "p.jpg"
    if content == "half":
        whole = encode(RANDOM.integers(0, 256, (64, 64, 3), np.uint8), ".jpg")
        path.write_bytes(whole[: len(whole) // 2])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(PictureError, match=r"p\.jpg.*: \w+"):
        read_image(path)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(PictureError, match=r"can't read .*a\.npy"):
        read_alpha(path)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_cut_outs_keep_their_depth(tmp_path: Path, suffix: str) -> None:
    rgba = RANDOM.integers(0, 65536, (9, 7, 4), np.uint16)
    path = save(tmp_path / f"p{suffix}", rgba)
    alpha = rgba[:, :, 3:] / 65535
    expected = alpha * rgba[:, :, :3] + (1 - alpha) * 65535
    assert np.abs(read_image(path) - expected).max() <= 1
    assert np.abs(read_alpha(path) - alpha[:, :, 0]).max() < 1e-5


def test_opaque_masks_are_read_by_their_colour(tmp_path: Path) -> None:
    rgba = np.full((1, 2, 4), 255, np.uint8)
    rgba[0, 0, :3] = 0
    assert read_mask(save(tmp_path / "m.png", rgba)).tolist() == [[0, 255]]


def test_floats_are_alpha_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Pillow.fromarray(np.full((3, 4), 0.75, np.float32)).save(path)
    assert (read_alpha(path) == 0.75).all()
    with pytest.raises(PictureError, match="float32: give"):
        read_mask(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "deep PNG", "deep TIFF", "AVIF"])
def test_exif_orientation_is_applied(kind: str, turn: int, order: str) -> None:
    dtype = np.uint16 if "deep" in kind else np.uint8
    upright = np.full((20, 30, 3), 9, dtype)
    upright[:10, :15] = np.iinfo(dtype).max - 9
    stored = {  # what the camera stored
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[turn]
    stored, block = np.ascontiguousarray(stored), exif(turn, order)
    if kind == "deep PNG":
        data = png.insert_metadata(encode(stored, ".png"), b"", block)
    elif kind == "deep TIFF":
        data = encode_tiff(stored, b"", block)
    else:
        options = {"lossless": True} if kind == "WEBP" else {}
        data = saved(stored, kind, exif=block, **options)
    photo = decode_photo(data, "p")
    assert photo.pixels.shape == upright.shape
    assert np.abs(photo.pixels.astype(int) - upright).max() <= (4 if kind == "AVIF" else 0)
    found = Pillow.Exif()
    found.load(photo.exif)
    assert found.get(0x112, 1) == 1
    assert said(photo.exif)[0x10F] == "Maker"


def test_orientation_in_xmp_counts_too() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    stored = noise(4, 6, 3)
    body = b"XML:com.adobe.xmp\0\0\0\0\0" + packet
    data = encode(stored, ".png")
    data = data[:33] + chunk(b"iTXt", body) + chunk(b"tEXt", b"Comment\0" + b"x" * 99) + data[33:]
    assert np.array_equal(decode_photo(data, "p").pixels, np.rot90(stored, -1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_profiles_and_exif_blocks_are_carried(kind: str) -> None:
    block = exif(6, thumbnail=b"\xff\xd8 secret \xff\xd9")
    photo = decode_photo(
        saved(noise(4, 6, 3), kind, icc_profile=display_p3(), exif=b"Exif\0\0" + block), "p"
    )
    assert photo.profile == display_p3()
    assert photo.transparency is None
    assert b"secret" not in photo.exif
    expected = said(exif(1))
    told = said(photo.exif)
    assert {tag: told[tag] for tag in expected} == expected


def test_what_has_no_profile_and_no_exif_says_so() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP", "GIF"):
        photo = decode_photo(saved(noise(4, 6, 3), kind), "p")
        assert (photo.profile, photo.transparency) == (b"", None)
        assert said(photo.exif) == {} or kind == "TIFF"


def test_a_large_or_damaged_profile_of_a_png_is_no_obstacle() -> None:
    data = encode(noise(4, 6, 3), ".png")
    bomb = zlib.compress(bytes(30_000_000))
    for packed in (bomb, b"\0\1\2 nonsense", b""):
        whole = data[:33] + chunk(b"iCCP", b"ICC profile\0\0" + packed) + data[33:]
        with pytest.warns(MatteWarning, match="the colour profile of p is damaged or not for it"):
            assert decode_photo(whole, "p").profile == b""


def test_grey_masks_are_no_colours(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    grey = np.array([[0, 60, 100, 160, 200, 255]], np.uint8)
    path.write_bytes(saved(grey, "PNG", icc_profile=grey_profile(1.0)))
    assert read_trimap(path).tolist() == [[0, 0, 128, 128, 255, 255]]
    assert (read_alpha(path) == grey.astype("f") / np.float32(255)).all()


def test_transparency_is_told() -> None:
    rgba = noise(6, 7, 4)
    photo = decode_photo(encode(rgba, ".png"), "p")
    assert photo.transparency is not None
    assert (photo.transparency == rgba[:, :, 3] / np.float32(255)).all()
    palette = Pillow.fromarray(np.arange(6, dtype=np.uint8)[None]).convert("P")
    told = decode_photo(saved(palette, "PNG", transparency=bytes([0, 128, 255])), "p").transparency
    assert told is not None
    assert told[0].tolist() == [0, np.float32(128 / 255), 1, 1, 1, 1]
    key = decode_photo(saved(noise(3, 3, 3) | 1, "PNG", transparency=(0, 0, 0)), "p")
    assert key.transparency is None


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_trimaps_are_sorted_at_85_and_170(
    tmp_path: Path, channels: int, dtype: type, suffix: str
) -> None:
    values: NDArray[Any] = np.array([[0, 84, 85, 127, 128, 169, 170, 255]], dtype)
    if dtype == np.uint16:
        values *= 257
    stored = values if channels == 1 else np.dstack([values] * 3)
    if channels == 4:
        stored = np.dstack([np.zeros_like(stored), values])
    path = tmp_path / f"t{suffix}"
    path.write_bytes(encode(stored, suffix))
    assert read_trimap(path).tolist() == [[0, 0, 128, 128, 128, 128, 255, 255]]


def test_a_coloured_trimap_is_its_luminance(tmp_path: Path) -> None:
    path = save(tmp_path / "t.png", np.array([[[255, 0, 0], [0, 255, 0], [255, 255, 0]]], np.uint8))
    assert read_trimap(path).tolist() == [[0, 128, 255]]  # 76, 150, 226


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0, -1.0])
@pytest.mark.parametrize("suffix", [".npy", ".tif"])
def test_alphas_that_are_none_are_named(tmp_path: Path, bad: float, suffix: str) -> None:
    alpha = np.full((3, 4), 0.5, np.float32)
    alpha[1, 2] = bad
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, alpha)
    else:
        Pillow.fromarray(alpha).save(path)
    with pytest.raises(PictureError, match=rf"a\{suffix} is an alpha with values outside 0 … 1: s"):
        read_alpha(path)


def test_arrays_of_every_order_are_alpha(tmp_path: Path) -> None:
    alpha = RANDOM.random((3, 4))
    for array in (alpha, np.asfortranarray(alpha), alpha.astype(">f4"), alpha.astype(np.float16)):
        np.save(tmp_path / "a.npy", array)
        assert np.allclose(read_alpha(tmp_path / "a.npy"), alpha, atol=1e-3)


@pytest.mark.parametrize(
    "shape",
    ["(1000000, 1000000)", "(99, 1 << 40)", "(1000, 1000)", "(-1, 4)", "()", "(3,)", "(0, 4)"],
)
def test_arrays_are_not_made_before_their_size_is_known(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".encode().ljust(117)
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", 118) + header + b"\n" + bytes(12))
    tracemalloc.start()
    with pytest.raises(PictureError, match=r"a\.npy.*: "):
        read_alpha(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\x93NUM",
        b"\x93NUMPY",
        b"\x93NUMPY\3\0\1\0\0\0{",
        b"x",
        b"\x93NUMPY\1\0\x10\0{'descr': (((((((",  # a header that nothing closes
        b"\x93NUMPY\1\0\xff\x1f" + b"[" * 8191,
    ],
)
def test_damaged_arrays_are_named(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(damaged)
    with pytest.raises(PictureError, match=r"can't read .*a\.npy \(.*\): \w+"):
        read_alpha(tmp_path / "a.npy")
