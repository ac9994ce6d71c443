from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.training.recipes import read_recipe
from matte.training.settings import DataSet, RefinerRecipe, RunSettings, SegmenterRecipe


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("batch = 4", "batch = 0", "batch = 0: give at least 1"),
        ("batch = 4", "bacth = 4", "did you mean 'batch'"),
        ("sizes = [64]", "sizes = [50]", "sizes has 50: give multiples of 32"),
        ("sizes = [64]", "sizes = []", "sizes is empty"),
        ("sizes = [64]", "sizes = [64]\nshapes = [[64, 50]]", "shapes has 50: give multiples"),
        ("sizes = [64]", "sizes = [64]\nshapes = [[64]]", r"shapes has \[64\]: give heights and"),
        ("sizes = [64]", 'sizes = [64]\nloss = "dice"', "loss = 'dice'"),
        ("warm_up = 0.0", 'optimiser = "sgdd"', "optimiser = 'sgdd'"),
        ("warm_up = 0.0", "warm_up = nan", "warm_up = nan"),
        ("warm_up = 0.0", 'schedule = "cosin"', "did you mean 'cosine'"),
        ("warm_up = 0.0", 'precision = "fp8"', "precision"),
        ("crop = 0.0", "crop = 2.0", "crop = 2.0"),
        ('layout = "cutouts"', 'layout = "cutout"', "did you mean 'cutouts'"),
        ("learning_rate = 3e-3", "learning_rate = -1.0", "learning_rate = -1.0"),
    ],
)
def test_a_mistake_is_named(recipe: Path, old: str, new: str, told: str) -> None:
    recipe.write_text(recipe.read_text().replace(old, new, 1))
    with pytest.raises(SettingError, match=told):
        read_recipe(SegmenterRecipe, str(recipe))


def test_words_that_python_gives_are_checked_too() -> None:
    with pytest.raises(SettingError, match="did you mean 'cosine'"):
        RunSettings(schedule="cosin")  # type: ignore[arg-type]  # the mistake
    with pytest.raises(SettingError, match="precision = 'fp8'"):
        RunSettings(precision="fp8")  # type: ignore[arg-type]  # the mistake
    with pytest.raises(SettingError, match="did you mean 'gca-slim'"):
        RefinerRecipe((DataSet("x"),), architecture="gca-slimm")  # type: ignore[arg-type]  # "


def test_data_sets_are_needed(recipe: Path) -> None:
    recipe.write_text("sizes = [32]\n")
    with pytest.raises(SettingError, match="no data set"):
        read_recipe(SegmenterRecipe, str(recipe))


def test_data_is_a_list_of_tables(recipe: Path) -> None:
    recipe.write_text('data = "discs"\n')
    with pytest.raises(SettingError, match=r"write \[\[data\]\]"):
        read_recipe(SegmenterRecipe, str(recipe))
