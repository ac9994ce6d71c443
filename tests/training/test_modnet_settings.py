import pytest

from matte.errors import SettingError
from matte.training.modnet_settings import ModnetLossWeights, ModnetRecipe, SocRecipe
from matte.training.settings import DataSet, RunSettings


def test_bad_settings_are_named() -> None:
    with pytest.raises(SettingError, match="reference = 16"):
        ModnetRecipe((DataSet("discs"),), reference=16)
    with pytest.raises(SettingError, match="detail = -1"):
        ModnetLossWeights(detail=-1)


def test_an_adaptation_takes_one_picture_a_step() -> None:
    assert SocRecipe().run.batch == 1
    with pytest.raises(SettingError, match="batch = 2: adapt with 1"):
        SocRecipe(run=RunSettings(batch=2))
    with pytest.raises(SettingError, match="keep = -1"):
        SocRecipe(keep=-1)
