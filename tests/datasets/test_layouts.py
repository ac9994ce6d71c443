from pathlib import Path

import pytest

from matte.datasets.layouts import LAYOUTS, guess_layout, list_set
from matte.datasets.reading import read_sample
from matte.errors import SettingError
from matte.registry import resolve
from tests.datasets.sets import cutout, photo, put

SETS = {
    "pairs": ("images/a.jpg", "masks/a.png"),
    "alphas": ("images/a.jpg", "gt/a.png"),
    "alphamatting": ("input/a.jpg", "gt/a.png", "trimap1/a.png", "trimap2/a.png"),
    "composition1k": ("Training_set/Other/fg/a.jpg", "Training_set/Other/alpha/a.png"),
    "aisegment": ("clip_img/18/clip_00/a.jpg", "matting/18/matting_00/a.png"),
    "ppm100": ("image/a.jpg", "matte/a.png"),
    "p3m10k": ("train/blurred_image/a.jpg", "train/mask/a.png"),
    "ccp": ("photos/a.jpg", "labels/a.png"),
    "backgrounds": ("streets/a.jpg",),
}


def test_every_name_stands_for_a_function() -> None:
    for name in LAYOUTS:
        assert callable(resolve("layout", LAYOUTS, name))


@pytest.mark.parametrize("layout", SETS)
def test_a_set_is_guessed_listed_and_read(layout: str, tmp_path: Path) -> None:
    put(tmp_path, *SETS[layout])
    assert guess_layout(tmp_path) == layout
    listing = list_set(tmp_path, "auto")
    assert len(listing.entries) == 1
    assert listing.broken == ()
    assert read_sample(listing.entries[0]).picture.shape == (12, 16, 3)


def test_cutouts_are_told_by_their_transparency(tmp_path: Path) -> None:
    put(tmp_path, "people/a.png", array=cutout())
    assert guess_layout(tmp_path) == "cutouts"
    put(tmp_path, "b.png", array=photo())
    with pytest.raises(SettingError, match=r"could be backgrounds or cutouts: .*pairs"):
        guess_layout(tmp_path)


def test_masks_alone_are_no_backgrounds(tmp_path: Path) -> None:
    put(tmp_path, "set/pictures/a.jpg", "set/masks/a.png")
    with pytest.raises(SettingError, match=r"no layout that is known: .*ppm100"):
        guess_layout(tmp_path)


def test_labels_beside_masks_are_taken_when_classes_are_asked_for(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg", "masks/a.png", "labels/a.png")
    assert guess_layout(tmp_path) == "pairs"
    assert guess_layout(tmp_path, ["dress"]) == "ccp"


def test_two_layouts_at_once_are_ambiguous(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg", "masks/a.png", "alphas/a.png")
    with pytest.raises(SettingError, match="could be alphas or pairs"):
        list_set(tmp_path, "auto")


@pytest.mark.parametrize(
    ("layout", "classes", "said"),
    [
        ("pears", (), "no layout 'pears': did you mean 'pairs'"),
        ("pairs", ("dress",), "pairs has no classes"),
        ("ppm100", (), "no image/ in "),
    ],
)
def test_what_does_not_fit_is_said(
    layout: str, classes: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=said):
        list_set(tmp_path, layout, classes)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no folder"):
        list_set(tmp_path / "nowhere", "auto")
