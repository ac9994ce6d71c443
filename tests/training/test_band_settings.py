import pytest

from matte.errors import SettingError
from matte.training.band_settings import BandRecipe
from matte.training.recipes import read_recipe
from matte.training.settings import DataSet


def test_bad_settings_are_named() -> None:
    with pytest.raises(SettingError, match="sizes has 100"):
        BandRecipe((DataSet("discs"),), sizes=(100,))
    with pytest.raises(SettingError, match="aspects = 9"):
        BandRecipe((DataSet("discs"),), aspects=9)


def test_the_shipped_recipe_ends_at_the_segmenters_size() -> None:
    settings = read_recipe(BandRecipe, "subject-band")
    assert settings.sizes[-1] == 384
    assert settings.mix.masks == 0
