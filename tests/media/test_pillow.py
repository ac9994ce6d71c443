import contextlib
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.errors import MatteWarning, PictureError
from matte.media.encoding import encode
from matte.media.pictures import decode_photo, read_alpha, read_image, read_mask, read_trimap
from tests.media.files import noise, png, saved, tiff

RGB = noise(30, 40, 3)
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "GIF", "PPM")


def huge(kind: str) -> bytes:
    """A small file whose header says 50000×50000."""
    if kind == "PNG":
        return png(50_000, 50_000, 8, 2, b"")
    if kind == "TIFF":
        side = (50_000,)
        return tiff({0x100: side, 0x101: side, 0x102: (8,), 0x106: (1,)}, b"\0" * 9)
    if kind == "JPEG":
        data = saved(RGB, "JPEG")
        at = data.index(b"\xff\xc0") + 5  # in the frame's header
        return data[:at] + struct.pack(">HH", 50_000, 50_000) + data[at + 4 :]
    if kind == "BMP":
        data = saved(RGB, "BMP")
        return data[:18] + struct.pack("<ii", 50_000, 50_000) + data[26:]
    if kind == "GIF":
        data = saved(Pillow.fromarray(RGB).convert("P"), "GIF")
        return data[:6] + struct.pack("<HH", 50_000, 50_000) + data[10:]
    return b"P6 50000 50000 255\n123"


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "BMP", "GIF", "PPM"])
def test_large_pictures_are_refused_by_their_header(kind: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode_photo(huge(kind), "p")
    assert str(caught.value) == (
        "p is 50000×50000, 2500 megapixels:"
        " raise --max-pixels or --max-memory, or give a smaller picture"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_is_the_callers(kind: str) -> None:
    data = saved(RGB, kind)
    assert decode_photo(data, "p", 1200).pixels.shape == (30, 40, 3)
    with pytest.raises(PictureError, match="p is 40×30, 0 megapixels: raise --max-pixels"):
        decode_photo(data, "p", 1199)


def test_every_reader_has_the_limit(tmp_path: Path) -> None:
    path, array = tmp_path / "p.png", tmp_path / "a.npy"
    path.write_bytes(encode(RGB, ".png"))
    np.save(array, np.ones((30, 40), np.float32))
    readers: list[tuple[Callable[[Path, int], object], Path]] = [
        (read_image, path),
        (read_mask, path),
        (read_trimap, path),
        (read_alpha, path),
        (read_alpha, array),
    ]
    for read, source in readers:
        read(source, 1200)
        with pytest.raises(PictureError, match="is 40×30, 0 megapixels"):
            read(source, 1199)


# Above the limit Pillow warns, above twice the limit it refuses.
@pytest.mark.parametrize("limit", [700, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_pillows_own_limit_is_not_asked(
    kind: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(RGB, kind)
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", limit)
    assert decode_photo(data, "p").pixels.shape == (30, 40, 3)
    assert limit == Pillow.MAX_IMAGE_PIXELS
    with pytest.raises(PictureError):
        decode_photo(data[:50], "p")
    assert limit == Pillow.MAX_IMAGE_PIXELS


def test_opencvs_limit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(encode(noise(30, 40, 3, dtype=np.uint16), ".png"))
    code = "import sys; from matte.media.pictures import read_image; read_image(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, path],
        env={**os.environ, "OPENCV_IO_MAX_IMAGE_PIXELS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "is too large for OpenCV: set OPENCV_IO_MAX_IMAGE_PIXELS" in done.stderr


def test_pillows_warnings_stay_inside_and_filters_stay_what_they_were() -> None:
    far = struct.pack(">4sIHHHII", b"MM\0*", 8, 1, 0x10F, 2, 99, 4000)  # beyond the block's end
    odd = saved(RGB, "JPEG", exif=b"Exif\0\0" + far)
    with pytest.warns(UserWarning, match=r"orrupt|runcated|larger"):
        Pillow.open(io.BytesIO(odd)).getexif()
    before = list(warnings.filters)
    failed: list[object] = []

    def work() -> None:
        for _ in range(30):
            try:
                decode_photo(odd, "p")
            except Warning as warning:
                failed.append(warning)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert list(warnings.filters) == before


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_of_animations_the_first_frame_is_used(kind: str) -> None:
    frames = [Pillow.new("RGB", (5, 4), colour) for colour in ("red", "green", "blue")]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.warns(MatteWarning, match="p holds several pictures: the first is used"):
        pixels = decode_photo(data, "p").pixels
    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() < 9


def test_jpegs_with_a_second_picture_are_no_animations() -> None:
    frames = [Pillow.new("RGB", (16, 16), colour) for colour in ("red", "green")]
    data = saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert decode_photo(data, "p").pixels[0, 0, 0] > 250


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_raise_nothing_foreign(kind: str) -> None:
    whole = saved(RGB, kind)
    assert _is_decoded(whole)
    random = np.random.default_rng(len(kind))
    for length in random.integers(0, len(whole), 20):
        _is_decoded(whole[:length])
    assert not _is_decoded(whole[:8]), "refused, by a PictureError"
    for _ in range(200):
        damaged = bytearray(whole)
        for at in random.integers(0, min(len(whole), 400), random.integers(1, 6)):
            damaged[at] = random.integers(0, 256)
        _is_decoded(bytes(damaged))


def _is_decoded(data: bytes) -> bool:
    """Whether the bytes are a picture to us; what else than a PictureError is raised goes on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatteWarning)
        try:
            decode_photo(data, "p.x", 10_000_000)
        except PictureError:
            return False
    return True


DEEP = noise(30, 40, 3, dtype=np.uint16)


def mutated(data: bytes, seed: int) -> bytes:
    """The file with a few bytes changed."""
    random, found = np.random.default_rng(seed), bytearray(data)
    for place in random.integers(0, len(found), 1 + seed % 3):
        found[place] ^= int(random.integers(1, 256))
    return bytes(found)


@pytest.mark.parametrize(
    "data",
    [
        saved(RGB, "TIFF", compression="tiff_adobe_deflate"),
        saved(RGB, "TIFF", compression="tiff_lzw"),
        saved(RGB, "TIFF", compression="jpeg"),
        saved(Pillow.fromarray(RGB).convert("1"), "TIFF", compression="group4"),
        encode(DEEP, ".tif"),
        encode(DEEP, ".png"),
        encode(DEEP[:, :, 0], ".png"),
        encode(RGB, ".jpg"),
    ],
    ids=["deflate", "lzw", "jpeg in tiff", "group4", "tiff16", "png16", "grey16", "jpeg"],
)
def test_libraries_print_nothing_about_damaged_files(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither on standard error itself, where native code prints, nor by Python's logs."""
    for seed in range(40):
        with warnings.catch_warnings(), contextlib.suppress(PictureError):
            warnings.simplefilter("ignore")
            decode_photo(mutated(data, seed), "p")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pixels", [DEEP, DEEP[:, :, 0]], ids=["colour", "grey"])
def test_a_wrong_checksum_behind_deep_pixels_is_not_printed(
    pixels: NDArray[np.uint16], capfd: pytest.CaptureFixture[str]
) -> None:
    data = encode(pixels, ".png")
    found = decode_photo(data[:-1] + b"?", "p").pixels
    assert np.array_equal(found, decode_photo(data, "p").pixels)
    assert capfd.readouterr() == ("", "")


def test_memory_that_opencv_does_not_get_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise cv2.error("(-4:Insufficient memory) Failed to allocate 9 bytes in function 'x'")

    monkeypatch.setattr(cv2, "imdecode", greedy)
    with pytest.raises(PictureError, match="p needs more memory than there is: make it smaller"):
        decode_photo(encode(DEEP, ".png"), "p")
