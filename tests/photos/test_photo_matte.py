from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import matte
from matte.arrays import Alpha, Image
from matte.errors import MatteError, OutputError
from matte.media.pictures import Photo, read_photo
from matte.photos.photo_matte import BackgroundInput, PhotoMatte

RANDOM = np.random.default_rng(3)
PIXELS = Image(RANDOM.integers(0, 256, (20, 30, 3), np.uint8))
COLOURS = Image(RANDOM.integers(0, 256, (20, 30, 3), np.uint8))
ALPHA = Alpha(RANDOM.random((20, 30), np.float32))
MATTE = PhotoMatte(ALPHA, COLOURS, None, None, {}, Photo(PIXELS, exif=b""))


def test_a_cut_out_has_the_subjects_own_colours() -> None:
    assert np.array_equal(MATTE.cutout[:, :, :3][ALPHA > 0.01], COLOURS[ALPHA > 0.01])
    assert np.allclose(MATTE.cutout[:, :, 3] / 255, ALPHA, atol=0.003)


@pytest.mark.parametrize("background", ["#204060", (32, 64, 96), [32, 64, 96]])
def test_it_is_composed_as_matte_composite_does(background: BackgroundInput) -> None:
    expected = matte.composite(COLOURS, ALPHA, "#204060")
    assert np.array_equal(MATTE.composite(background), expected)


def test_backgrounds_are_files_pixels_or_pillows(tmp_path: Path) -> None:
    behind = Image(RANDOM.integers(0, 256, (20, 30, 3), np.uint8))
    file = tmp_path / "behind.png"
    Pillow.fromarray(behind).save(file)
    expected = MATTE.composite(behind)
    for given in (file, str(file), file.read_bytes(), Pillow.fromarray(behind), Photo(behind)):
        assert np.array_equal(MATTE.composite(given), expected)


def test_the_photos_own_background_can_be_blurred() -> None:
    blurred = MATTE.composite("blur:3")
    assert blurred.shape == PIXELS.shape
    assert np.abs(blurred[ALPHA < 0.02].astype(int) - COLOURS[ALPHA < 0.02]).mean() > 5


def test_it_saves_itself_and_loses_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    assert MATTE.save(target) == target
    assert np.array_equal(np.asarray(Pillow.open(target)), MATTE.cutout)
    with pytest.raises(OutputError, match=r"out\.png exists"):
        MATTE.save(target, "white")
    MATTE.save(target, "white", overwrite=True)
    assert np.array_equal(read_photo(target).pixels, MATTE.composite("white"))
    with pytest.raises(OutputError, match="can't hold transparency"):
        MATTE.save(tmp_path / "out.jpg")
    with pytest.raises(MatteError, match="neither a file nor a colour"):
        MATTE.save(tmp_path / "new.jpg", "no such colour")
    assert {path.name for path in tmp_path.iterdir()} == {"out.png"}


def test_it_says_what_it_is_in_a_line() -> None:
    assert repr(MATTE) == f"<matte 30×20, subject {float(ALPHA.mean()):.1%}>"


def test_its_errors_name_arguments_and_no_options_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "there.png").touch()
    wrong: dict[str, Callable[[], object]] = {
        "exists: choose another name or add overwrite=True$": lambda: MATTE.save(
            tmp_path / "there.png"
        ),
        "can't hold transparency: .* or give a background$": lambda: MATTE.save(tmp_path / "a.jpg"),
        "pictures have none behind them: give a picture$": lambda: MATTE.composite("talk.mp4"),
    }
    for message, call in wrong.items():
        with pytest.raises(MatteError, match=message):
            call()
