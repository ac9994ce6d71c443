import unicodedata
from pathlib import Path

import pytest

from matte.datasets.finding import find_files, find_subfolder
from matte.datasets.layouts import list_set
from matte.errors import PictureError
from tests.datasets.sets import names, put, reasons


def test_what_has_no_partner_is_named(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a.png", "masks/c.png")
    listing = list_set(tmp_path, "pairs")
    assert names(listing) == ["a"]
    assert reasons(listing) == {
        "b.jpg": "no mask of this name",
        "c.png": "no picture of this name",
    }


def test_two_pictures_of_one_name_are_both_named(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg", "images/a.PNG", "masks/a.png")
    listing = list_set(tmp_path, "pairs")
    assert listing.entries == ()
    assert list(reasons(listing).values()) == ["one name for a.PNG and a.jpg"]


def test_endings_hidden_files_spaces_and_umlauts(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "schöne Grüße")
    put(tmp_path, f"Images/{decomposed}.JPG", "Images/.hidden.jpg", "Images/__MACOSX/x.jpg")
    put(tmp_path, "masks/schöne Grüße.PNG", "masks/._schöne Grüße.png")
    (tmp_path / "Images" / "notes.txt").write_text("not a picture")
    listing = list_set(tmp_path, "pairs")
    assert names(listing) == ["schöne Grüße"]
    assert listing.broken == ()


def test_folders_below_are_part_of_the_name(tmp_path: Path) -> None:
    put(tmp_path, "images/x/a.jpg", "images/y/a.jpg", "masks/x/a.png", "masks/y/a.png")
    assert names(list_set(tmp_path, "pairs")) == ["x/a", "y/a"]


def test_names_do_not_depend_on_the_place(tmp_path: Path) -> None:
    for place in ("one", "two/deep"):
        put(tmp_path / place, "images/b.jpg", "images/a.jpg", "masks/a.png", "masks/b.png")
    first, second = (list_set(tmp_path / place, "pairs") for place in ("one", "two/deep"))
    assert names(first) == names(second) == ["a", "b"]


def test_the_first_of_several_subfolders_counts_in_any_case(tmp_path: Path) -> None:
    for name in ("Photos", "images", ".gt"):
        (tmp_path / name).mkdir()
    assert find_subfolder(tmp_path, "photos", "images") == tmp_path / "Photos"
    assert find_subfolder(tmp_path, "gt", ".gt") is None


def test_a_missing_folder_is_named_and_none_has_no_files(tmp_path: Path) -> None:
    assert find_files([None]).files == {}
    with pytest.raises(PictureError, match=r"can't read .*nowhere.*: name a folder"):
        find_files([tmp_path / "nowhere"])
