"""TOML tables and how they become settings."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from matte.errors import SettingError
from matte.registry import nearest

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"can't read {path}", str(error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not TOML", str(error)) from error


def from_table(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """A settings dataclass filled from `table`; `where` names the table in error messages."""
    names = [f.name for f in fields(cls)]  # type: ignore[arg-type]  # T is always a dataclass
    for key in table:
        if key not in names:
            raise SettingError(f"no setting {key!r} in {where}", nearest(key, names))
    hints = get_type_hints(cls)
    values = {key: fit(value, hints[key], f"{where}.{key}") for key, value in table.items()}
    try:
        return cls(**values)
    except TypeError as error:
        raise SettingError(f"{where} is not complete", str(error).partition("() ")[2]) from error


def fit(value: Any, hint: Any, where: str) -> Any:
    """`value` as TOML, a flag or Python gave it, in the type that the setting is annotated with."""
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return from_table(hint, value, where)
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
        raise SettingError(f"{where} = {value!r}", nearest(str(value), get_args(hint)))
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(fit(v, get_args(hint)[0], where) for v in value)
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    expected = getattr(hint, "__name__", str(hint))
    raise SettingError(f"{where} = {value!r} is not of type {expected}", f"give {expected}")
