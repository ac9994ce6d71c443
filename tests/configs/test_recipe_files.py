from pathlib import Path

import pytest

from matte.configs.recipe_files import RECIPES_FOLDER, fill_in_sets, recipe_names, recipe_path
from matte.configs.tables import read_toml
from matte.errors import SettingError


def test_a_recipe_is_shipped_or_lies_beside_another() -> None:
    assert recipe_path("person") == RECIPES_FOLDER / "person.toml"
    assert recipe_path("own.toml", Path("runs")) == Path("runs/own.toml")
    with pytest.raises(SettingError, match="no recipe 'persn': did you mean 'person'"):
        recipe_path("persn")


@pytest.mark.parametrize("name", recipe_names())
def test_sets_of_another_recipe_are_filled_in(name: str) -> None:
    path = recipe_path(name)
    tables = read_toml(path)
    filled = fill_in_sets(tables, path)
    owner = tables.get("data")
    expected = read_toml(recipe_path(owner))["data"] if isinstance(owner, str) else owner
    assert filled.get("data") == expected
