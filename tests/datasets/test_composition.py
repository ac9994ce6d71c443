from pathlib import Path

import pytest

from matte.datasets.composition import list_composition1k
from matte.errors import SettingError
from tests.datasets.sets import names, put, reasons


def test_foregrounds_alone_are_cutouts(tmp_path: Path) -> None:
    part = tmp_path / "Combined_Dataset/Training_set"
    put(part, "Adobe-licensed images/fg/cat.jpg", "Adobe-licensed images/alpha/cat.png")
    put(part, "Other/fg/dog.jpg", "Other/alpha/dog.png")
    put(tmp_path / "Combined_Dataset/Test_set", "Other/fg/test.jpg", "Other/alpha/test.png")
    listing = list_composition1k(tmp_path)
    assert [(e.name, e.kind, e.group) for e in listing.entries] == [
        ("cat", "cutout", "cat"),
        ("dog", "cutout", "dog"),
    ]
    assert all(e.truth and e.truth.parent.name == "alpha" for e in listing.entries)
    assert names(list_composition1k(tmp_path / "Combined_Dataset/Test_set")) == ["test"]


def test_composites_take_their_foregrounds_alpha_and_group(tmp_path: Path) -> None:
    put(tmp_path, "fg/cat_7.jpg", "fg/dog.jpg", "alpha/cat_7.png", "alpha/dog.png")
    put(tmp_path, "merged/cat_7_0.png", "merged/cat_7_11.png", "merged/dog_3.png")
    listing = list_composition1k(tmp_path)
    assert [(e.name, e.group, e.truth and e.truth.name) for e in listing.entries] == [
        ("cat_7_0", "cat_7", "cat_7.png"),
        ("cat_7_11", "cat_7", "cat_7.png"),
        ("dog_3", "dog", "dog.png"),
    ]
    assert {e.kind for e in listing.entries} == {"alpha"}
    assert listing.broken == ()


@pytest.mark.parametrize("copies", ["alpha", "alpha_copy"])
def test_alphas_copied_for_each_composite(copies: str, tmp_path: Path) -> None:
    for n in range(3):
        put(tmp_path, f"{copies}/cat_{n}.png", f"merged/cat_{n}.png")
    listing = list_composition1k(tmp_path)
    assert [e.truth and e.truth.stem for e in listing.entries] == ["cat_0", "cat_1", "cat_2"]
    assert {e.group for e in listing.entries} == {"cat"}
    assert listing.broken == ()


def test_numbers_in_names_do_not_make_families(tmp_path: Path) -> None:
    put(tmp_path, "alpha/IMG_1234.png", "alpha/IMG_1235.png")
    put(tmp_path, "merged/IMG_1234.jpg", "merged/IMG_1235.jpg")
    assert {e.group for e in list_composition1k(tmp_path).entries} == {"IMG_1234", "IMG_1235"}


def test_a_foreground_without_composites_stays_a_cutout(tmp_path: Path) -> None:
    put(tmp_path, "fg/cat.jpg", "fg/dog.jpg", "alpha/cat.png", "alpha/dog.png", "merged/cat_0.png")
    kinds = {e.name: e.kind for e in list_composition1k(tmp_path).entries}
    assert kinds == {"cat_0": "alpha", "dog": "cutout"}


def test_what_has_no_partner_is_named(tmp_path: Path) -> None:
    put(tmp_path, "fg/a.jpg", "fg/b.jpg", "alpha/b.png", "alpha/c.png", "merged/x_0.png")
    listing = list_composition1k(tmp_path)
    assert names(listing) == ["b"]
    assert set(reasons(listing)) == {"a.jpg", "c.png", "x_0.png"}


def test_a_folder_without_alphas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no alpha/"):
        list_composition1k(tmp_path)
