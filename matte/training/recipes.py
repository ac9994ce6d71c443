"""The recipes that matte ships, by name, and those of users, by path."""

from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from matte.errors import SettingError
from matte.registry import nearest
from matte.training.settings import read_settings

T = TypeVar("T")
FOLDER = Path(str(files("matte.configs") / "training"))


def recipes() -> list[str]:
    """The names of the shipped recipes."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_recipe(cls: type[T], name: str) -> T:
    """The settings of a shipped recipe, or of a TOML file."""
    path = Path(name)
    if path.suffix != ".toml":
        if name not in recipes():
            raise SettingError(f"no recipe {name!r}", nearest(name, recipes()))
        path = FOLDER / f"{name}.toml"
    return read_settings(cls, path)
