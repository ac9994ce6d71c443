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

    `data` may be another recipe's name instead: its sets are meant. `changes`: fields with other
    values, such as "run.steps=500". An error names the change that brought it, or the file.
    """
    path = _recipe_path(name)
    recipe = _read_tables(path, changes)
    try:
        return from_table(cls, recipe, "settings")
    except SettingError as error:
        origin = _origin_of(error, cls, path, changes)
        raise SettingError(f"{origin}: {error.cause}", error.remedy) from error


def _recipe_path(name: str, beside: Path = Path()) -> Path:
    """Return the file of a recipe, which is a shipped one or a path from the folder `beside`."""
    if name.endswith(".toml"):
        return beside / name
    if name not in recipe_names():
        raise SettingError(f"no recipe {name!r}", nearest(name, recipe_names()))
    return RECIPE_FOLDER / f"{name}.toml"


def _read_tables(path: Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a recipe's file says, with the changes, and with the sets of whom it names."""
    recipe = read_toml(path)
    for change in changes:
        _apply_change(recipe, change)
    owner = recipe.get("data")
    if isinstance(owner, str):
        try:
            sets = read_toml(_recipe_path(owner, path.parent)).get("data")
        except SettingError as error:
            raise SettingError(
                f"{path}: data: {error.cause}", f"{error.remedy}, or write [[data]] for each set"
            ) from error
        if not isinstance(sets, list):
            raise SettingError(
                f"{path}: the recipe {owner!r} has no [[data]] of its own",
                "name one that lists its sets",
            )
        recipe["data"] = sets
    return recipe


def _origin_of(error: SettingError, cls: type, path: Path, changes: Sequence[str]) -> str:
    """Return the first change with which the recipe has the error, or the file if it has it."""
    for count in range(len(changes) + 1):
        try:
            from_table(cls, _read_tables(path, changes[:count]), "settings")
        except SettingError as found:
            if str(found) == str(error):
                return f"--set {changes[count - 1]}" if count else str(path)
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
