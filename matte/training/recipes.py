"""The recipes that matte ships, by name, and those of users, by path."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from matte.configs.tables import from_table, read_toml
from matte.errors import SettingError
from matte.registry import nearest

T = TypeVar("T")
RECIPE_FOLDER = Path(str(files("matte.configs") / "recipes"))


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes."""
    return sorted(path.stem for path in RECIPE_FOLDER.glob("*.toml"))


def read_recipe(cls: type[T], name: str, changes: Sequence[str] = ()) -> T:
    """Read a shipped recipe, or a TOML file: plain keys, tables and one [[data]] per set.

    `changes`: fields with other values, such as "run.steps=500". An error names the change that
    brought it, or the file.
    """
    path = Path(name)
    if path.suffix != ".toml":
        if name not in recipe_names():
            raise SettingError(f"no recipe {name!r}", nearest(name, recipe_names()))
        path = RECIPE_FOLDER / f"{name}.toml"
    recipe = read_toml(path)
    for change in changes:
        _apply_change(recipe, change)
    try:
        return from_table(cls, recipe, "settings")
    except SettingError as error:
        origin = _origin_of(error, cls, path, changes)
        raise SettingError(f"{origin}: {error.cause}", error.remedy) from error


def _origin_of(error: SettingError, cls: type, path: Path, changes: Sequence[str]) -> str:
    """Return the first change with which the recipe has the error, or the file if it has it."""
    recipe = read_toml(path)
    for origin, change in ((str(path), ""), *((f"--set {change}", change) for change in changes)):
        if change:
            _apply_change(recipe, change)
        try:
            from_table(cls, recipe, "settings")
        except SettingError as found:
            if str(found) == str(error):
                return origin
    return str(path)


def _apply_change(recipe: dict[str, Any], change: str) -> None:
    """Set one field of a recipe's table to the value in a text such as "run.steps=500"."""
    try:
        given: Any = tomllib.loads(change)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(
            f"can't read {change!r}", "write it as in the recipe: run.steps=500, 'encoder=\"x\"'"
        ) from error
    table: Any = recipe
    while isinstance(table, dict) and isinstance(given, dict) and len(given) == 1:
        key, given = next(iter(given.items()))
        if not isinstance(given, dict):
            table[key] = given
            return
        table = table.setdefault(key, {})
    raise SettingError(f"can't change {change!r}", "change one field at a time, and no [[data]]")
