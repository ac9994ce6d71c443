"""The recipes that matte ships, by name, and those of users, by path."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from matte.configs.tables import from_file, read_toml
from matte.errors import SettingError
from matte.registry import nearest

T = TypeVar("T")
FOLDER = Path(str(files("matte.configs") / "recipes"))


def recipes() -> list[str]:
    """The names of the shipped recipes."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_recipe(cls: type[T], name: str, changes: Sequence[str] = ()) -> T:
    """The settings of a shipped recipe, or of a TOML file: plain keys, tables and one [[data]] per
    set. `changes`: what is to differ from it, such as "run.steps=500".
    """
    path = Path(name)
    if path.suffix != ".toml":
        if name not in recipes():
            raise SettingError(f"no recipe {name!r}", nearest(name, recipes()))
        path = FOLDER / f"{name}.toml"
    recipe = read_toml(path)
    for change in changes:
        _change(recipe, change)
    return from_file(cls, recipe, str(path))


def _change(recipe: dict[str, Any], change: str) -> None:
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
