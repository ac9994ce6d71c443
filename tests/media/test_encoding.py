import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from matte.arrays import Alpha, Image
from matte.compositing.cutout import cut_out
from matte.errors import MatteWarning, OutputError
from matte.media.encoding import OPAQUE, WRITABLE, encode, encode_alpha
from matte.media.exif import clean_exif
from matte.media.pictures import decode_photo, read_alpha, read_image
from tests.conftest import save
from tests.media.files import exif, noise, said
from tests.media.profiles import PROPHOTO, display_p3, matrix_profile

RANDOM = np.random.default_rng(1)
COLUMNS, ROWS = np.meshgrid(np.arange(0, 200, 4), np.arange(0, 240, 6))
RGB = np.dstack([COLUMNS, ROWS, np.full((40, 50), 90)]).astype(np.uint8)
PROFILES = (
    b"",
    display_p3(),
    matrix_profile(PROPHOTO, 1.8),
    ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
)
LOSSLESS = (".png", ".tif", ".tiff", ".webp", ".bmp")


@pytest.mark.parametrize("suffix", sorted(WRITABLE))
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    read = read_image(save(tmp_path / f"p{suffix}", RGB))
    exact = suffix not in (".jpg", ".jpeg", ".avif")
    assert np.abs(read.astype(int) - RGB).max() <= (0 if exact else 12)


@pytest.mark.parametrize(("suffix", "step"), [(".npy", 0), (".tif", 1 / 65535), (".png", 1 / 255)])
def test_alpha_comes_back_within_half_a_step(tmp_path: Path, suffix: str, step: float) -> None:
    alpha = Alpha(RANDOM.random((30, 20), np.float32))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode_alpha(alpha, suffix))
    assert np.abs(read_alpha(path) - alpha).max() <= step / 2 + 1e-6


def test_cut_outs_hold_straight_colours(tmp_path: Path) -> None:
    foreground = Image(np.full((2, 2, 3), 200, np.uint8))
    path = tmp_path / "c.png"
    path.write_bytes(encode(cut_out(foreground, Alpha(np.full((2, 2), 0.5, "f"))), ".png"))
    with Pillow.open(path) as opened:
        assert opened.getpixel((0, 0)) == (200, 200, 200, 128)


def test_pictures_that_a_format_can_not_hold_are_refused() -> None:
    with pytest.raises(OutputError, match=r"70000×2 can't be saved as \.jpg: save it as \.png"):
        encode(np.zeros((2, 70_000, 3), np.uint8), ".jpg")


@st.composite
def pictures(draw: st.DrawFn) -> tuple[NDArray[Any], str, bytes, bytes]:
    """An array, an ending that holds it, a profile and an EXIF block."""
    suffix = draw(st.sampled_from(sorted(WRITABLE)))
    shape: tuple[int, ...] = (draw(st.integers(1, 40)), draw(st.integers(1, 40)))
    if channels := draw(st.sampled_from([0, 3] if suffix in OPAQUE else [0, 3, 4])):
        shape = (*shape, channels)
    dtype: Any = draw(st.sampled_from([np.uint8, np.uint16]))
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    array = random.integers(0, np.iinfo(dtype).max + 1, shape, dtype)
    if channels == 4 and draw(st.booleans()):
        array[..., 3] = np.where(array[..., 3] > 99, np.iinfo(dtype).max, 0)
    block = draw(
        st.just(b"")
        | st.builds(
            exif,
            st.integers(1, 8),
            st.sampled_from("<>"),
            st.text("abc XYZ.,", min_size=1, max_size=30),
            st.tuples(st.integers(0, 1 << 31), st.integers(1, 1 << 31)),
            st.binary(max_size=20),
        )
    )
    return array, suffix, draw(st.sampled_from(PROFILES)), block


@settings(max_examples=300)
@given(pictures())
def test_what_is_written_comes_back(case: tuple[NDArray[Any], str, bytes, bytes]) -> None:
    array, suffix, profile, block = case
    data = encode(array, suffix, profile, block)
    photo = decode_photo(data, "p")
    deep = array.dtype == np.uint16
    stored: NDArray[Any] = array
    if deep and suffix not in (".png", ".tif", ".tiff"):
        stored = np.rint(array / 257).astype(np.uint8)
    if suffix in LOSSLESS:
        by_opencv: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if stored.ndim == 2 or by_opencv.shape[2] == 3:  # libwebp drops alpha if all is opaque
            grey = stored.ndim == 2
            colours = np.repeat(stored[:, :, None], 3, axis=2) if grey else stored[:, :, :3]
            assert np.array_equal(photo.pixels, colours)
            assert photo.transparency is None
            assert np.array_equal(
                by_opencv if by_opencv.ndim == 2 else by_opencv[:, :, ::-1],
                stored if by_opencv.ndim == 2 else colours,
            )
        else:
            # Colours stay where nothing of them is seen, too.
            straight = by_opencv[:, :, [2, 1, 0, 3]]
            if suffix in (".tif", ".tiff") and not deep:  # which OpenCV multiplies with alpha
                straight = np.asarray(Pillow.open(io.BytesIO(data)))
            assert np.array_equal(straight, stored)
            opaque = (stored[:, :, 3] == np.iinfo(stored.dtype).max).all()
            assert (photo.transparency is None) == opaque
    with Pillow.open(io.BytesIO(data)) as picture:
        picture.load()
        assert picture.size == array.shape[1::-1]
        assert picture.getexif().get(0x112, 1) == 1
    holds = suffix != ".bmp"
    assert photo.profile == (profile if holds and array.ndim == 3 else b"")
    if suffix in (".png", ".webp", ".jpg", ".jpeg"):
        assert photo.exif == clean_exif(block)
    assert said(photo.exif) == (said(clean_exif(block)) if holds else {})
    again = encode(photo.pixels, suffix, photo.profile, photo.exif)
    if suffix in LOSSLESS and photo.transparency is None:
        second = decode_photo(again, "p")
        assert np.array_equal(second.pixels, photo.pixels)
        assert said(second.exif) == said(photo.exif)


@pytest.mark.parametrize("suffix", sorted(WRITABLE))
def test_others_read_it_without_a_word(tmp_path: Path, suffix: str) -> None:
    shapes = [(30, 40), (30, 40, 3)] if suffix in OPAQUE else [(30, 40), (30, 40, 3), (30, 40, 4)]
    block = exif(6, thumbnail=b"small")
    for i, shape in enumerate(shapes):
        for dtype in (np.uint8, np.uint16):
            data = encode(noise(*shape, dtype=dtype), suffix, display_p3(), block)
            (tmp_path / f"{i}{dtype.__name__}{suffix}").write_bytes(data)
    code = """
import sys, cv2
from PIL import Image
for path in sys.argv[1:]:
    picture = Image.open(path)
    picture.load()
    picture.getexif().get_ifd(0x8769)
    array = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    assert array.shape[1::-1] == picture.size, path
    assert "uint8" not in path or array.dtype == "uint8"
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, tmp_path.iterdir())],
        env={**os.environ, "OPENCV_LOG_LEVEL": "WARNING"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_deep_cut_outs_keep_profile_and_exif_too(suffix: str, order: str) -> None:
    rgba, block = noise(9, 7, 4, dtype=np.uint16), exif(8, order)
    data = encode(rgba, suffix, display_p3(), block)
    photo = decode_photo(data, "p")
    assert photo.profile == display_p3()
    assert said(photo.exif) == said(clean_exif(block))
    found: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(found[:, :, [2, 1, 0, 3]], rgba)


def test_makers_notes_stay_where_they_were_in_a_tiff() -> None:
    block = clean_exif(exif(1))
    assert encode(noise(4, 4, 3), ".tif", b"", block)[8 : len(block)] == block[8:]


def test_strips_of_large_tiffs_fit_together() -> None:
    for shape in ((3000, 100, 3), (2, 100_000, 4)):
        array = noise(*shape, dtype=np.uint16)
        assert np.array_equal(
            decode_photo(encode(array[:, :, :3], ".tif"), "p").pixels, array[:, :, :3]
        )


def test_opaque_formats_refuse_transparency() -> None:
    for suffix in OPAQUE:
        with pytest.raises(OutputError, match=r"can't hold transparency: save it as \.png"):
            encode(noise(4, 4, 4), suffix)


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 20_000), (".avif", 70_000), (".xyz", 4)])
def test_what_can_not_be_encoded_is_said(suffix: str, side: int) -> None:
    with pytest.raises(OutputError, match=rf"a picture of {side}×1 can't be saved as \{suffix}"):
        encode(np.zeros((1, side, 3), np.uint8), suffix)


def test_exif_that_does_not_fit_into_a_jpeg_is_left_out() -> None:
    block = exif(1, maker="M" * 66_000)
    with pytest.warns(MatteWarning, match="EXIF data do not fit into a JPEG: they are left out"):
        data = encode(RGB, ".jpg", display_p3(), block)
    assert decode_photo(data, "p").exif == b""
    assert said(decode_photo(encode(RGB, ".png", b"", block), "p").exif)[0x10F] == "M" * 66_000


def test_large_profiles_fit_into_jpegs() -> None:
    profile = display_p3() + bytes(200_000)
    size = len(profile).to_bytes(4, "big")
    profile = size + profile[4:]
    for suffix in (".jpg", ".png", ".tif", ".webp", ".avif"):
        assert decode_photo(encode(RGB, suffix, profile), "p").profile == profile


def test_half_levels_of_16_bits_are_rounded() -> None:
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    found = decode_photo(encode(deep, ".webp"), "p").pixels[:, :, 0]
    assert np.array_equal(found, np.rint(deep / 257))


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_only_what_is_ours_may_be_overwritten(
    suffix: str, dtype: type[Any], channels: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", 100)
    array = noise(37, 23, *channels, dtype=dtype)
    before = array.copy()
    kept = encode(array, suffix)
    assert np.array_equal(array, before)
    assert encode(array, suffix, reuse_array=True) == kept
