"""What kinds of pictures `matte image` takes and makes."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Image
from matte.media import png
from matte.media.encoding import DEEP_SUFFIXES, encode
from matte.media.exif import clean_exif
from matte.media.pictures import read_image, read_mask, read_photo
from matte.media.profiles import convert_to_profile
from matte.media.tiff import encode_tiff
from tests.commands import run
from tests.conftest import disc, save
from tests.media.files import exif, said, saved
from tests.media.profiles import cmyk_profile, display_p3

BAND = ("--k", "3", "--iterations", "2")
IMAGE, ALPHA = disc(64, 80)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.png", IMAGE)


@pytest.mark.usefixtures("fake")
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orientation=st.integers(1, 8),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    source=st.sampled_from([".jpg", ".png", ".tif", ".webp", ".avif"]),
    ending=st.sampled_from([".jpg", ".png", ".tif", ".webp", ".avif", ".bmp"]),
)
def test_depth_metadata_and_orientation_go_on(
    orientation: int, dtype: Any, source: str, ending: str
) -> None:
    """A photo in Display P3, turned: it comes out upright, in its profile, as deep as it can be."""
    profile, block = display_p3(), exif(orientation)
    deep = dtype == np.uint16 and source in DEEP_SUFFIXES
    stored = turned(IMAGE, orientation).astype(np.uint16 if deep else np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, f"photo{source}"), Path(folder, f"out{ending}")
        path.write_bytes(described(stored * dtype(257) if deep else stored, source, profile, block))
        result = run(path, "--bg", "red", "-o", out, "--k", "3", "--iterations", "2")
        assert result.exit_code == 0, result.output
        made = read_photo(out)
    assert made.pixels.shape == IMAGE.shape
    assert made.pixels.dtype == (np.uint16 if deep and ending in DEEP_SUFFIXES else np.uint8)
    if ending != ".bmp":
        assert made.profile == profile
        assert said(made.exif)[0x10F] == "Maker"
        assert clean_exif(made.exif) == made.exif
    one = 257 if made.pixels.dtype == np.uint16 else 1
    lossy = 12 if {source, ending} & {".jpg", ".avif"} else 1
    dot = Image(np.full((1, 1, 3), (255, 0, 0), np.uint8))
    red = convert_to_profile(dot, b"", profile)[0, 0]
    assert np.abs(made.pixels[0, 0].astype(int) - red.astype(int) * one).max() <= lossy * one
    subject = ALPHA == 1
    off = made.pixels[subject].astype(int) - IMAGE[subject].astype(int) * one
    assert np.abs(off).mean() <= lossy * one


def turned(image: Image, orientation: int) -> NDArray[Any]:
    """The picture as a camera held so stores it."""
    mirrored = image[:, ::-1] if orientation in (2, 4, 5, 7) else image
    quarters = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 1, 7: 3, 8: 3}[orientation]
    return np.ascontiguousarray(np.rot90(mirrored, quarters))


def described(array: NDArray[Any], ending: str, profile: bytes, block: bytes) -> bytes:
    """A file with an orientation other than 1, which encode() does not write."""
    if ending == ".tif":
        return encode_tiff(array, profile, block)
    if array.dtype == np.uint16:
        return png.insert_metadata(encode(array, ".png"), profile, block)
    kind = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".avif": "AVIF"}[ending]
    lossless: dict[str, Any] = {"lossless": True} if ending == ".webp" else {"quality": 95}
    return saved(array, kind, icc_profile=profile, exif=b"Exif\0\0" + block, **lossless)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "LA", "RGBA", "1"])
def test_pictures_of_every_kind_are_matted(tmp_path: Path, mode: str) -> None:
    picture = Pillow.fromarray(IMAGE).convert(mode)
    path = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png")
    picture.save(path, icc_profile=cmyk_profile() if mode == "CMYK" else None)
    result = run(path, "-o", tmp_path / "out.png", *BAND)
    assert result.exit_code == 0, result.output
    with Pillow.open(tmp_path / "out.png") as out:
        assert out.mode == "RGBA"
        assert out.getpixel((0, 0))[3] == 0  # type: ignore[index]  # RGBA: four
        assert out.getpixel((40, 32))[3] == 255  # type: ignore[index]  # as above


@pytest.mark.usefixtures("fake")
def test_what_was_transparent_stays_so(tmp_path: Path) -> None:
    rgba = np.dstack([IMAGE, np.full(ALPHA.shape, 255, np.uint8)])
    rgba[:, 40:, 3] = 100
    path = save(tmp_path / "photo.png", rgba)
    assert run(path, "--alpha", tmp_path / "a.npy", "-o", tmp_path / "o.png", *BAND).exit_code == 0
    alpha = np.load(tmp_path / "a.npy")
    assert alpha[:, :40].max() == 1
    assert alpha[:, 40:].max() == pytest.approx(100 / 255)


@pytest.mark.usefixtures("fake")
def test_backgrounds(photo: Path, tmp_path: Path) -> None:
    stripes = np.zeros((64, 160, 3), np.uint8)
    stripes[:, :40] = 200
    ground = save(tmp_path / "ground.png", stripes)
    corners = {}
    for i, words in enumerate(
        [
            ("#102030",),
            ("rgb(16,32,48)",),
            (ground, "--fit", "cover"),
            (ground, "--fit", "stretch"),
            (ground, "--fit", "tile"),
            ("blur",),
            ("blur:3",),
            ("transparent",),
        ]
    ):
        out = tmp_path / f"{i}.png"
        result = run(photo, "--bg", *words, "-o", out, *BAND)
        assert result.exit_code == 0, result.output
        corners[words] = read_image(out)[1, 1].tolist()
    values = list(corners.values())
    assert values[:5] == [[16, 32, 48], [16, 32, 48], [0, 0, 0], [200] * 3, [200] * 3]
    assert np.abs(np.array(values[5:7]) - IMAGE[1, 1]).max() < 3
    linear = tmp_path / "linear.png"
    assert run(photo, "--bg", "#102030", "--blend", "linear", "-o", linear, *BAND).exit_code == 0
    assert read_image(linear).astype(int).sum() > read_image(tmp_path / "0.png").astype(int).sum()


@pytest.mark.usefixtures("fake")
def test_crop_keeps_the_subject_and_a_margin(photo: Path, tmp_path: Path) -> None:
    out, alpha, mask = tmp_path / "o.png", tmp_path / "a.npy", tmp_path / "m.png"
    words = ("-o", out, "--alpha", alpha, "--mask", mask, "--overwrite", *BAND)
    assert run(photo, "--crop", "0", *words).exit_code == 0
    height, width = np.load(alpha).shape
    assert height < 52
    assert width < 52
    assert read_image(out).shape[:2] == read_mask(mask).shape == (height, width)
    assert run(photo, "--crop", "3", *words).exit_code == 0
    assert np.load(alpha).shape == (height + 6, width + 6)
    assert run(photo, "--crop", "500%", *words).exit_code == 0
    assert np.load(alpha).shape == (64, 80)


@pytest.mark.parametrize("size", [(1, 1), (5000, 1), (1, 5000)])
def test_the_smallest_and_the_longest_pictures(tmp_path: Path, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    path, out = save(tmp_path / "photo.png", pixels), tmp_path / "out.png"
    result = run(path, "--bg", "blur", "-o", out, "--refiner", "guided", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert read_image(out).shape == (*size, 3)


@pytest.mark.usefixtures("fake")
def test_pictures_go_through_pipes(photo: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from matte.cli.main import main

    def piped(data: bytes, *words: str) -> tuple[int, bytes, str]:
        result = CliRunner().invoke(main, ["-", *words, *BAND], input=data)
        return result.exit_code, result.stdout_bytes, result.stderr

    code, data, told = piped(photo.read_bytes())
    assert (code, told) == (0, "")
    with Pillow.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGBA")
    report = tmp_path / "r.json"
    words = ("--bg", "red", "--format", "jpg", "-o", "-", "--report", str(report))
    code, data, told = piped(photo.read_bytes(), *words)
    assert (code, told) == (0, "")
    with Pillow.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
    assert json.loads(report.read_text())["pictures"][0]["written"] == []
    code, data, told = piped(photo.read_bytes(), "-o", str(tmp_path / "out.png"))
    assert data.decode() == f"{tmp_path / 'out.png'}\n"
    for sent, message in (
        (b"", "standard input is empty: pipe a picture in"),
        (b"no picture at all", "standard input is not a readable picture: give"),
        (photo.read_bytes()[:200], "standard input is not a readable picture: give"),
    ):
        code, data, told = piped(sent)
        assert (code, data) == (1, b"")
        assert told.startswith(f"Error: {message}")
        assert told.count("\n") == 1
    code, data, told = piped(photo.read_bytes(), "--format", "jpg")
    assert told.startswith("Error: .jpg can't hold transparency: name a .png")


@pytest.mark.usefixtures("fake")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    odd = tmp_path / b"caf\xe9\nphoto.png".decode("utf-8", "surrogateescape")
    save(odd, IMAGE)
    report = tmp_path / "report.json"
    result = run(odd, "-o", tmp_path / "out.png", "--report", report, *BAND, "-q")
    assert result.exit_code == 0, result.output
    assert json.loads(report.read_text())["pictures"][0]["file"] == str(odd)
