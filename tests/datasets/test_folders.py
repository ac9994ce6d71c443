from pathlib import Path

import pytest

from matte.datasets.folders import (
    list_aisegment,
    list_alphas,
    list_backgrounds,
    list_p3m10k,
    require_subfolder,
)
from matte.errors import SettingError
from tests.datasets.sets import names, put


def test_of_p3m_a_validation_part_is_listed_when_named(tmp_path: Path) -> None:
    put(tmp_path, "train/blurred_image/a.jpg", "train/mask/a.png")
    put(tmp_path, "validation/P3M-500-NP/original_image/v.jpg", "validation/P3M-500-NP/mask/v.png")
    assert names(list_p3m10k(tmp_path)) == ["a"]
    assert names(list_p3m10k(tmp_path / "validation/P3M-500-NP")) == ["v"]


def test_the_numbers_of_aisegments_folders_pair_pictures_with_alphas(tmp_path: Path) -> None:
    put(tmp_path, "clip_img/18/clip_01/a.jpg", "clip_img/18/clip_00/a.jpg")
    put(tmp_path, "matting/18/matting_00/a.png", "matting/18/matting_01/a.png")
    (zero, one) = list_aisegment(tmp_path).entries
    assert (zero.name, one.name) == ("18/00/a", "18/01/a")
    assert zero.truth == tmp_path / "matting/18/matting_00/a.png"


def test_a_set_of_alphas_may_name_its_folders_either_way(tmp_path: Path) -> None:
    put(tmp_path / "one", "input/a.jpg", "gt/a.png")
    put(tmp_path / "two", "images/a.jpg", "alphas/a.png")
    for folder in ("one", "two"):
        (entry,) = list_alphas(tmp_path / folder).entries
        assert entry.kind == "alpha"


def test_backgrounds_have_no_truth(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "below/b.jpg")
    listing = list_backgrounds(tmp_path)
    assert names(listing) == ["a", "below/b"]
    assert {entry.truth for entry in listing.entries} == {None}


def test_a_missing_subfolder_is_named_with_all_its_names(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"no input/ or images/ in .*: name the"):
        require_subfolder(tmp_path, "input", "images")
