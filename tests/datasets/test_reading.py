from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from matte.arrays import Uint8Array
from matte.datasets.reading import read_sample, shrink_to
from matte.datasets.samples import Entry, Kind, UnusableError
from matte.media.pictures import read_image
from tests.conftest import save
from tests.datasets.sets import cutout, half, photo


def entry(folder: Path, kind: Kind = "mask", picture: str = "p.png", **more: str) -> Entry:
    truth = more.get("truth")
    return Entry("p", kind, folder / picture, folder / truth if truth else None)


def test_a_mask_keeps_its_values(tmp_path: Path) -> None:
    picture, mask = photo(), half()
    mask[0] = 128
    save(tmp_path / "p.png", picture)
    save(tmp_path / "m.png", mask)
    sample = read_sample(entry(tmp_path, truth="m.png"))
    assert (sample.picture == picture).all()
    assert (sample.truth == mask).all()


@pytest.mark.parametrize("top", [1, 255])
def test_binary_masks_may_be_of_0_and_1(top: int, tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo())
    save(tmp_path / "m.png", half(top=top))
    assert np.unique(read_sample(entry(tmp_path, truth="m.png")).truth).tolist() == [0, 255]


def test_a_palette_of_two_colours_is_a_mask(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo())
    picture = Pillow.fromarray(half(top=1), "P")
    picture.putpalette([0, 0, 0, 128, 0, 0])
    picture.save(tmp_path / "m.png")
    assert (read_sample(entry(tmp_path, truth="m.png")).truth == half()).all()


def test_labels_on_a_palette_are_read_as_numbers(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo())
    picture = Pillow.fromarray(half(top=15), "P")
    picture.putpalette([(7 * n) % 256 for n in range(768)])
    picture.save(tmp_path / "m.png")
    labelled = Entry("p", "mask", tmp_path / "p.png", tmp_path / "m.png", classes=(15,))
    assert (read_sample(labelled).truth == half()).all()


def test_an_alpha_is_grey_of_8_or_16_bits_or_a_transparency(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo())
    soft = np.linspace(0, 255, 12 * 16).astype(np.uint8).reshape(12, 16)
    for array in (soft, soft.astype(np.uint16) * 257, np.dstack([photo(), soft])):
        save(tmp_path / "a.png", array).touch()
        assert (read_sample(entry(tmp_path, "alpha", truth="a.png")).truth == soft).all()
        (tmp_path / "a.png").unlink()


def test_an_opaque_cut_out_is_subject_everywhere(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo())
    save(tmp_path / "a.png", np.dstack([photo(), np.full((12, 16), 255, np.uint8)]))
    assert (read_sample(entry(tmp_path, "alpha", truth="a.png")).truth == 255).all()


def test_a_background_has_no_subject(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo())
    sample = read_sample(entry(tmp_path, "background"))
    assert sample.truth.shape == (12, 16)
    assert not sample.truth.any()


def test_a_cutout_is_split_into_colours_and_alpha(tmp_path: Path) -> None:
    rgba = cutout()
    save(tmp_path / "p.png", rgba)
    sample = read_sample(entry(tmp_path, "cutout"))
    assert (sample.truth == rgba[:, :, 3]).all()
    solid = sample.truth == 255
    assert (sample.picture[solid] == rgba[:, :, :3][solid]).all()


def test_a_cutout_may_have_its_alpha_in_a_file(tmp_path: Path) -> None:
    save(tmp_path / "p.jpg", photo())
    save(tmp_path / "a.png", half())
    sample = read_sample(entry(tmp_path, "cutout", picture="p.jpg", truth="a.png"))
    assert (sample.truth == half()).all()


def test_shrinking_a_cutout_mixes_no_transparent_black_in(tmp_path: Path) -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[:, :21] = (200, 150, 100, 255)
    save(tmp_path / "p.png", rgba)
    sample = read_sample(entry(tmp_path, "cutout"), longest=20)
    assert 0 < sample.truth[0, 10] < 255
    assert np.abs(sample.picture.astype(int) - (200, 150, 100)).max() <= 2


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 40))
def test_the_long_side_is_at_most_longest(height: int, width: int, longest: int) -> None:
    small = shrink_to(np.zeros((height, width), np.uint8), longest, 0)
    assert max(small.shape) == (min(longest, max(height, width)) or max(height, width))
    assert min(small.shape) >= 1


def test_a_shrunk_mask_has_no_new_values(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo(50, 70))
    mask = half(50, 70)
    mask[:5] = 128
    save(tmp_path / "m.png", mask)
    sample = read_sample(entry(tmp_path, truth="m.png"), longest=30)
    assert sample.picture.shape == (21, 30, 3)
    assert set(np.unique(sample.truth)) <= {0, 128, 255}


def turned(path: Path, array: Uint8Array, orientation: int) -> Path:
    """A picture's file that says how the camera was held."""
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    Pillow.fromarray(array).save(path, exif=exif)
    return path


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright_as_everywhere(ending: str, orientation: int, tmp_path: Path) -> None:
    smooth = np.dstack([half(32, 48), half(48, 32).T, half(32, 48, top=90)])
    path = turned(tmp_path / f"p{ending}", smooth, orientation)
    expected = read_image(path)
    save(tmp_path / "m.png", half(*expected.shape[:2]))
    sample = read_sample(entry(tmp_path, picture=path.name, truth="m.png"))
    assert sample.picture.shape == expected.shape
    assert np.abs(sample.picture.astype(int) - expected).max() < 12  # two decoders
    assert (sample.truth == half(*expected.shape[:2])).all()


def test_cutouts_and_truths_are_turned_too(tmp_path: Path) -> None:
    rgba = cutout()
    turned(tmp_path / "p.png", rgba, 6)
    sample = read_sample(entry(tmp_path, "cutout"))
    assert (sample.truth == np.rot90(rgba[:, :, 3], -1)).all()
    turned(tmp_path / "m.png", half(), 6)
    assert (read_sample(entry(tmp_path, truth="m.png")).truth == np.rot90(half(), -1)).all()
    labels = Pillow.fromarray(half(top=15), "P")
    labels.putpalette([(7 * n) % 256 for n in range(768)])
    exif = Pillow.Exif()
    exif[0x0112] = 6
    labels.save(tmp_path / "l.png", exif=exif)
    labelled = Entry("p", "mask", tmp_path / "p.png", tmp_path / "l.png", classes=(15,))
    assert (read_sample(labelled).truth == np.rot90(half(), -1)).all()


def test_a_truth_that_was_not_turned_is_said(tmp_path: Path) -> None:
    turned(tmp_path / "p.jpg", photo(12, 16), 6)
    save(tmp_path / "m.png", half(12, 16))
    with pytest.raises(UnusableError, match="12×16 turned upright: turn the truth too, or clear"):
        read_sample(entry(tmp_path, picture="p.jpg", truth="m.png"))


@pytest.mark.parametrize(
    ("kind", "truth", "said"),
    [
        ("mask", half(13, 16), r"m\.png is 16×13, p\.png 16×12"),
        ("mask", half(top=7), r"m\.png has the values 7: a mask is of 0, 128"),
        ("mask", photo(), r"m\.png is coloured"),
        ("alpha", half(top=1), r"m\.png goes up to 1 only"),
    ],
)
def test_unusable_truths_are_said(kind: Kind, truth: Uint8Array, said: str, tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo())
    save(tmp_path / "m.png", truth)
    with pytest.raises(UnusableError, match=said):
        read_sample(entry(tmp_path, kind, truth="m.png"))


@pytest.mark.parametrize(
    ("data", "said"), [(b"", r"p\.jpg is empty"), (b"not a picture", r"can't decode p\.jpg")]
)
def test_unreadable_pictures_are_said(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_bytes(data)
    with pytest.raises(UnusableError, match=said):
        read_sample(entry(tmp_path, "background", picture="p.jpg"))


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_a_picture_cut_short_is_unusable(ending: str, tmp_path: Path) -> None:
    path = save(tmp_path / f"p{ending}", photo(90, 120))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnusableError, match="can't decode"):
        read_sample(entry(tmp_path, "background", picture=path.name))


def test_a_missing_picture_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match=r"can't read p\.png \(No such file"):
        read_sample(entry(tmp_path, "background"))


@pytest.mark.parametrize(
    ("alpha", "said"), [(None, "no transparency"), (0, "transparent every"), (255, "opaque every")]
)
def test_cutouts_that_are_none(alpha: int | None, said: str, tmp_path: Path) -> None:
    layers = [photo()] if alpha is None else [photo(), np.full((12, 16), alpha, np.uint8)]
    save(tmp_path / "p.png", np.dstack(layers))
    with pytest.raises(UnusableError, match=said):
        read_sample(entry(tmp_path, "cutout"))
