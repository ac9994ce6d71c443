import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from matte.errors import SettingError
from matte.training.pictures import collect, fraction
from matte.training.settings import DataSet, SegmenterSettings, read_segmenter_settings


def test_the_split_depends_on_names_alone(data: Path, recipe: Path) -> None:
    settings = read_segmenter_settings(recipe)
    collection = collect(settings, data, lambda _: None)
    trained = {item.name for _, items in collection.sets for item in items}
    held_back = {item.name for _, item in collection.validation}
    assert held_back
    assert not trained & held_back
    assert all(fraction(name) < settings.held_back for name in held_back)
    assert 0 <= fraction("any") < 1


def test_broken_pairs_are_named_and_skipped(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "discs", tmp_path / "discs")
    images, masks = tmp_path / "discs/images", tmp_path / "discs/masks"
    (images / "00.png").write_bytes(b"not a picture")
    (masks / "01.png").unlink()
    cv2.imwrite(str(masks / "02.png"), np.zeros((5, 5), np.uint8))
    cv2.imwrite(str(masks / "03.png"), np.full((72, 96), 7, np.uint8))
    (images / "04.png").write_bytes(b"")
    said: list[str] = []
    settings = SegmenterSettings((DataSet("discs", exclude=("05",)),), held_back=0)
    collection = collect(settings, tmp_path, said.append)
    assert len(collection.skipped) == 5
    assert [item.name for item in collection.sets[0][1]] == [f"{n:02}" for n in range(6, 12)]
    for line, name in zip(said, ("00", "01", "02", "03", "04"), strict=False):
        assert f"{name}.png" in line
    assert "5 skipped" in said[-1]


def test_pictures_are_kept_small(data: Path, recipe: Path) -> None:
    settings = replace(read_segmenter_settings(recipe), longest=48)
    for _, items in collect(settings, data, lambda _: None).sets:
        for item in items:
            assert max(item.picture.shape) == 48


def test_a_missing_folder_is_named(data: Path) -> None:
    settings = SegmenterSettings((DataSet("nowhere"),))
    with pytest.raises(SettingError, match="nowhere"):
        collect(settings, data, lambda _: None)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "none/images").mkdir(parents=True)
    with pytest.raises(SettingError, match=r"no training picture in .*none"):
        collect(SegmenterSettings((DataSet("none"),)), tmp_path, lambda _: None)
