"""Training recipes as settings, with changes from the command line."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from matte.configs.recipe_files import fill_in_sets, recipe_path
from matte.configs.tables import from_table, read_toml
from matte.errors import SettingError

T = TypeVar("T")


def read_recipe(cls: type[T], name: str, changes: Sequence[str] = ()) -> T:
    """Read a shipped recipe, or a TOML file: plain keys, tables and one [[data]] per set.

    `data` may be another recipe's name instead: its sets are meant. `changes`: fields with other
    values, such as "run.steps=500". An error names the change that brought it, or the file.
    """
    path = recipe_path(name)
    recipe = _read_tables(path, changes)
    try:
        return from_table(cls, recipe, "settings")
    except SettingError as error:
        origin = _origin_of(error, cls, path, changes)
        raise SettingError(f"{origin}: {error.cause}", error.remedy) from error


def _read_tables(path: Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a recipe's file says, with the changes, and with the sets of whom it names."""
    recipe = read_toml(path)
    for change in changes:
        _apply_change(recipe, change)
    return fill_in_sets(recipe, path)


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
