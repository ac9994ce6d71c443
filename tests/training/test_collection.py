import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from matte.errors import SettingError
from matte.training.collection import Collection, collect_pictures, name_fraction
from matte.training.recipes import read_recipe
from matte.training.settings import CollectionSettings, DataSet, SegmenterRecipe


def collected(data: Path, sets: tuple[DataSet, ...], settings: CollectionSettings) -> Collection:
    return collect_pictures(sets, settings, data, lambda _: None)


def test_the_split_depends_on_names_alone(data: Path, recipe: Path) -> None:
    settings = read_recipe(SegmenterRecipe, str(recipe))
    collection = collected(data, settings.data, settings.collect)
    trained = {item.name for _, items in collection.sets for item in items}
    held_back = {item.name for _, item in collection.validation}
    assert held_back
    assert not trained & held_back
    assert all(name_fraction(name) < settings.collect.held_back for name in held_back)
    assert 0 <= name_fraction("any") < 1


def test_broken_pairs_are_named_and_skipped(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "discs", tmp_path / "discs")
    images, masks = tmp_path / "discs/images", tmp_path / "discs/masks"
    (images / "00.png").write_bytes(b"not a picture")
    (masks / "01.png").unlink()
    cv2.imwrite(str(masks / "02.png"), np.zeros((5, 5), np.uint8))
    cv2.imwrite(str(masks / "03.png"), np.full((72, 96), 7, np.uint8))
    (images / "04.png").write_bytes(b"")
    said: list[str] = []
    sets = (DataSet("discs", exclude=("05",)),)
    collection = collect_pictures(sets, CollectionSettings(held_back=0), tmp_path, said.append)
    assert len(collection.skipped) == 5
    assert [item.name for item in collection.sets[0][1]] == [f"{n:02}" for n in range(6, 12)]
    for name in ("00", "01", "02", "03", "04"):
        assert any(f"{name}.png" in line for line in said[:-1])
    assert "5 skipped" in said[-1]


@pytest.mark.parametrize(("share", "warned"), [(0.2, True), (0.9, False), (0.0, False)])
def test_too_few_to_validate_are_told(data: Path, share: float, warned: bool) -> None:
    said: list[str] = []
    settings = CollectionSettings(held_back=share)
    found = collect_pictures((DataSet("discs"),), settings, data, said.append)
    assert (0 < len(found.validation) < 5) == warned
    assert any("so few pictures say little" in line for line in said) == warned


def test_pictures_are_kept_small(data: Path, recipe: Path) -> None:
    settings = read_recipe(SegmenterRecipe, str(recipe))
    small = replace(settings.collect, longest=48)
    for _, items in collected(data, settings.data, small).sets:
        for item in items:
            assert max(item.picture.shape) == 48


def test_a_missing_folder_is_named(data: Path) -> None:
    with pytest.raises(SettingError, match="nowhere"):
        collected(data, (DataSet("nowhere"),), CollectionSettings())


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / "none" / folder).mkdir(parents=True)
    with pytest.raises(SettingError, match=r"no training picture in .*none"):
        collected(tmp_path, (DataSet("none"),), CollectionSettings())


def test_a_set_that_is_held_back_whole_is_named(data: Path) -> None:
    with pytest.raises(SettingError, match=r"discs: all 12 are held back"):
        collected(data, (DataSet("discs", held_back=1),), CollectionSettings())


def test_nearly_equal_pictures_stay_on_one_side(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "discs", tmp_path / "discs")
    held = next(f"{n:02}" for n in range(12) if name_fraction(f"{n:02}") < 0.3)
    for folder in ("images", "masks"):
        path = tmp_path / "discs" / folder / f"{held}.png"
        twin = next(n for n in range(100) if name_fraction(f"twin{n}") > 0.3)
        shutil.copy(path, path.with_name(f"twin{twin}.png"))
    collection = collected(tmp_path, (DataSet("discs"),), CollectionSettings(held_back=0.3))
    assert {held, f"twin{twin}"} <= {item.name for _, item in collection.validation}


def test_a_cut_out_of_a_held_back_picture_is_neither_trained_nor_validated_on(
    data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data / "discs", tmp_path / "discs")
    (tmp_path / "cut").mkdir()
    held = next(f"{n:02}" for n in range(12) if name_fraction(f"{n:02}") < 0.3)
    kept = next(f"{n:02}" for n in range(12) if name_fraction(f"{n:02}") > 0.3)
    for name in (held, kept):
        picture = cv2.imread(str(data / f"discs/images/{name}.png"))
        assert picture is not None
        alpha = np.full(picture.shape[:2], 255, np.uint8)
        alpha[0, 0] = 0
        cv2.imwrite(str(tmp_path / f"cut/{name}.png"), np.dstack([picture, alpha]))
    sets = (DataSet("discs"), DataSet("cut", "cutouts"))
    collection = collected(tmp_path, sets, CollectionSettings(held_back=0.3))
    assert [item.name for item in collection.sets[1][1]] == [kept]
    assert {folder for folder, _ in collection.validation} == {"discs"}


def test_a_heavier_set_is_drawn_from_more_often(data: Path) -> None:
    sets = (DataSet("discs", weight=0.75), DataSet("discs", weight=0.25, exclude=("00", "01")))
    collection = collected(data, sets, CollectionSettings(held_back=0))
    listed = [item.name for item in collection.training_pictures("mask")]
    # 12 pictures share 3/4, 10 the rest: 2.5 times as likely, which rounds to 2.
    assert listed.count("00") == 2
    assert listed.count("05") == 3


def test_truths_that_lie_beside_their_pictures_meet_them(data: Path) -> None:
    (set_,) = (DataSet("discs", shift=(40.0, -25.0)),)
    plain = collected(data, (DataSet("discs"),), CollectionSettings(held_back=0)).training_pictures(
        "mask"
    )
    found = collected(data, (set_,), CollectionSettings(held_back=0)).training_pictures("mask")
    for before, after in zip(plain, found, strict=True):
        height, width = before.truth.shape
        right, down = round(0.04 * width), round(0.025 * width)
        np.testing.assert_array_equal(after.truth, before.truth)
        # 96 pixels wide: 3.84 to the right, 2.4 up.
        inner = after.picture[10:-10, 10:-10].astype(int)
        expected = before.picture[10 + down : height - 10 + down, 10 - right : width - 10 - right]
        assert (
            np.abs(inner - expected).mean() < np.abs(inner - before.picture[10:-10, 10:-10]).mean()
        )
    with pytest.raises(SettingError, match="give two numbers"):
        DataSet("discs", shift=(1.0,))
