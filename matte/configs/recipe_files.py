"""The files of training recipes: those that matte ships, by name, and users', by path."""

from pathlib import Path
from typing import Any

from matte.configs.tables import read_toml
from matte.errors import SettingError
from matte.registry import nearest

RECIPES_FOLDER = Path(__file__).parent / "recipes"


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes."""
    return sorted(path.stem for path in RECIPES_FOLDER.glob("*.toml"))


def recipe_path(name: str, beside: Path = Path()) -> Path:
    """Return the file of a recipe, which is a shipped one or a path from the folder `beside`."""
    if name.endswith(".toml"):
        return beside / name
    if name not in recipe_names():
        raise SettingError(f"no recipe {name!r}", nearest(name, recipe_names()))
    return RECIPES_FOLDER / f"{name}.toml"


def fill_in_sets(recipe: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the tables of the file `path`, with the sets of the recipe that `data` names."""
    owner = recipe.get("data")
    if not isinstance(owner, str):
        return recipe
    try:
        sets = read_toml(recipe_path(owner, path.parent)).get("data")
    except SettingError as error:
        raise SettingError(
            f"{path}: data: {error.cause}", f"{error.remedy}, or write [[data]] for each set"
        ) from error
    if not isinstance(sets, list):
        raise SettingError(
            f"{path}: the recipe {owner!r} has no [[data]] of its own",
            "name one that lists its sets",
        )
    return recipe | {"data": sets}
