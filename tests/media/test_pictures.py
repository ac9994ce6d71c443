import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.arrays import Alpha, Image
from matte.errors import OutputError, PictureError
from matte.media.pictures import (
    WRITABLE,
    encode,
    encode_alpha,
    read_alpha,
    read_image,
    read_mask,
    read_trimap,
    with_alpha,
)
from tests.conftest import save

RANDOM = np.random.default_rng(1)
COLUMNS, ROWS = np.meshgrid(np.arange(0, 200, 4), np.arange(0, 240, 6))
RGB = np.dstack([COLUMNS, ROWS, np.full((40, 50), 90)]).astype(np.uint8)


@pytest.mark.parametrize("suffix", sorted(WRITABLE))
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    read = read_image(save(tmp_path / f"p{suffix}", RGB))
    exact = suffix not in (".jpg", ".jpeg")
    assert np.abs(read.astype(int) - RGB).max() <= (0 if exact else 12)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("shape", [(9, 7, 3), (9, 7)])
def test_16_bits_are_kept(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    deep = RANDOM.integers(0, 65536, shape, np.uint16)
    read = read_image(save(tmp_path / f"p{suffix}", deep))
    assert read.dtype == np.uint16
    assert np.array_equal(read, deep if deep.ndim == 3 else np.dstack([deep] * 3))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:10, :15] = 255
    turned = {  # what the camera stored
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "p.png"
    Pillow.fromarray(np.ascontiguousarray(turned)).save(path, exif=exif)
    assert np.array_equal(read_image(path), upright)


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0"])
def test_a_whole_picture_with_damaged_exif_data_is_read(tmp_path: Path, exif: bytes) -> None:
    Pillow.new("RGB", (5, 4), "white").save(tmp_path / "p.webp", exif=exif)
    assert read_image(tmp_path / "p.webp").shape == (4, 5, 3)


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


@pytest.mark.parametrize(("suffix", "step"), [(".npy", 0), (".tif", 1 / 65535), (".png", 1 / 255)])
def test_alpha_comes_back_within_half_a_step(tmp_path: Path, suffix: str, step: float) -> None:
    alpha = Alpha(RANDOM.random((30, 20), np.float32))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode_alpha(alpha, suffix))
    assert np.abs(read_alpha(path) - alpha).max() <= step / 2 + 1e-6


def test_cut_outs_hold_straight_colours(tmp_path: Path) -> None:
    foreground = Image(np.full((2, 2, 3), 200, np.uint8))
    path = tmp_path / "c.png"
    path.write_bytes(encode(with_alpha(foreground, Alpha(np.full((2, 2), 0.5, "f"))), ".png"))
    with Pillow.open(path) as cut_out:
        assert cut_out.getpixel((0, 0)) == (200, 200, 200, 128)


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


def test_pictures_that_a_format_can_not_hold_are_refused() -> None:
    with pytest.raises(OutputError, match=r"70000×2 can't be saved as \.jpg: save it as \.png"):
        encode(np.zeros((2, 70_000, 3), np.uint8), ".jpg")


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


def test_deep_pictures_are_turned_upright_too(tmp_path: Path) -> None:
    stored = RANDOM.integers(0, 65536, (4, 6, 3), np.uint16)
    png = encode(stored, ".png")
    exif = Pillow.Exif()
    exif[0x0112] = 6
    body = exif.tobytes().removeprefix(b"Exif\x00\x00")
    chunk = b"eXIf" + body
    whole = len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    path = tmp_path / "p.png"
    path.write_bytes(png[:33] + whole + png[33:])  # behind the header
    assert np.array_equal(read_image(path), np.rot90(stored, -1))


def test_white_may_be_zero(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    grey = Pillow.fromarray(np.full((3, 4), 1000, np.uint16))
    grey.save(path, tiffinfo={262: 0})
    assert (read_image(path) == 65535 - 1000).all()
