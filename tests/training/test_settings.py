from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.segmentation.network import ARCHITECTURES
from matte.training.settings import read_segmenter_settings

RECIPES = Path(__file__).parents[2] / "matte" / "configs" / "training"


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_shipped_recipes_can_be_read(name: str) -> None:
    settings = read_segmenter_settings(RECIPES / f"{name}.toml")
    assert settings.architecture == name
    assert settings.size == 320


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("batch = 4", "batch = 0", "batch = 0: give at least 1"),
        ("batch = 4", "bacth = 4", "did you mean 'batch'"),
        ("sizes = [64]", "sizes = [50]", "sizes has 50: give multiples of 32"),
        ("sizes = [64]", "sizes = []", "sizes is empty"),
        ("warm_up = 0.0", "warm_up = nan", "warm_up = nan"),
        ("crop = 0.0", "crop = 2.0", "crop = 2.0"),
        ('kind = "cutouts"', 'kind = "cutout"', "did you mean 'cutouts'"),
        ("learning_rate = 3e-3", "learning_rate = -1.0", "learning_rate = -1.0"),
    ],
)
def test_a_mistake_is_named(recipe: Path, old: str, new: str, told: str) -> None:
    recipe.write_text(recipe.read_text().replace(old, new, 1))
    with pytest.raises(SettingError, match=told):
        read_segmenter_settings(recipe)


def test_data_sets_are_needed(recipe: Path) -> None:
    recipe.write_text("steps = 3\n")
    with pytest.raises(SettingError, match="no data set"):
        read_segmenter_settings(recipe)


def test_data_is_a_list_of_tables(recipe: Path) -> None:
    recipe.write_text('data = "discs"\n')
    with pytest.raises(SettingError, match=r"write \[\[data\]\]"):
        read_segmenter_settings(recipe)
