"""TOML tables, and the settings that are made of them."""

import operator
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from matte.configs.fields import PARSERS, SettingRule, rule_of
from matte.errors import SettingError
from matte.registry import nearest

T = TypeVar("T")
WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
}


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingError(f"can't read {path} ({error.strerror})", "name a TOML file") from error
    except (ValueError, RecursionError) as error:  # TOML's and UTF-8's own errors are ValueErrors
        raise SettingError(f"{path} is not TOML", str(error)) from error


def from_file(cls: type[T], table: Mapping[str, Any], file: str, where: str = "settings") -> T:
    """Return a settings dataclass filled from a file's table; errors name the file."""
    with errors_of(file):
        return from_table(cls, table, where)


@contextmanager
def errors_of(origin: str) -> Iterator[None]:
    """Let SettingErrors from the block begin with what they are about: a file, a setting."""
    try:
        yield
    except SettingError as error:
        cause = f"{origin}: {error.cause}" if origin else error.cause
        raise SettingError(cause, error.remedy) from error


def from_table(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """Return a settings dataclass filled from a table; `where` names the table in errors."""
    if not isinstance(table, Mapping):
        raise SettingError(f"{where} = {table!r} is not a table", f"write it as [{where}]")
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # T is always a dataclass
    for key in table:
        if key not in known:
            raise SettingError(f"no setting {key!r} in {where}", _remedy_for(key, cls, known))
    hints = _type_hints(cls)  # type: ignore[arg-type]  # classes are hashable
    values = {
        key: parse_setting(value, hints[key], rule_of(known[key]), key)
        for key, value in table.items()
    }
    try:
        return cls(**values)
    except TypeError as error:
        raise SettingError(f"{where} is not complete", str(error).partition("() ")[2]) from error


def _remedy_for(key: str, cls: type, known: Iterable[str]) -> str:
    """Return what to do about an unknown setting: it may belong into one of the tables."""
    for name, hint in _type_hints(cls).items():
        if is_dataclass(hint) and any(field.name == key for field in fields(hint)):
            return f"write it under [{name}]"
    return nearest(key, known)


@cache
def _type_hints(cls: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, which take a while to be worked out."""
    return get_type_hints(cls)


def parse_setting(value: Any, hint: Any, rule: SettingRule | None, name: str) -> Any:
    """Return a setting's value from what a file, a flag or Python gives for it.

    The word for "not set" becomes None, a length or an amount of memory is read from its text.
    Ranges are checked by the dataclass that takes the value.
    """
    if rule is None:
        return convert(value, hint, name)
    if rule.is_unset(value):
        return None
    if rule.unit not in PARSERS:
        return convert(value, hint, name)
    parse, kind, remedy = PARSERS[rule.unit]
    if isinstance(value, str):
        with errors_of(name):
            return parse(value)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise SettingError(f"{name} = {value!r}", f"give {remedy}, as text")


def convert(value: Any, hint: Any, name: str) -> Any:
    """Return a value from TOML, a flag or Python, converted to the type of its field."""
    if is_dataclass(hint) and isinstance(hint, type):
        return from_table(hint, value, name)
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
        raise SettingError(f"{name} = {value!r}", nearest(str(value), get_args(hint)))
    if get_origin(hint) in (Union, UnionType):
        return _convert_to_any(value, [h for h in get_args(hint) if h is not NoneType], name)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if isinstance(value, list | tuple):
            return tuple(convert(v, item, name) for v in value)
        remedy = f"write [[{name}]]" if is_dataclass(item) else "give a list"
        raise SettingError(f"{name} = {value!r}", remedy)
    if get_origin(hint) is dict and isinstance(value, Mapping):
        return {key: convert(v, get_args(hint)[1], f"{name}.{key}") for key, v in value.items()}
    return _convert_plain(value, hint, name)


def _convert_plain(value: Any, hint: Any, name: str) -> Any:
    """Return a number, a text or a boolean, converted to the type of its field."""
    if isinstance(value, bool) == (hint is bool):
        try:
            if hint is int and not isinstance(value, float | str):
                return operator.index(value)
            if hint is float and not isinstance(value, str):
                return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
        if hint is str and isinstance(value, os.PathLike):
            return os.fspath(value)
        if isinstance(hint, type) and isinstance(value, hint):
            return value
    raise SettingError(f"{name} = {value!r}", f"give {_type_words(hint)}")


def _convert_to_any(value: Any, hints: Sequence[Any], name: str) -> Any:
    """Return the value converted to the first type that it can be converted to."""
    for hint in hints:
        try:
            return convert(value, hint, name)
        except SettingError:
            continue
    raise SettingError(f"{name} = {value!r}", "give " + " or ".join(map(_type_words, hints)))


def _type_words(hint: Any) -> str:
    """Return what to give for a type, in words."""
    if get_origin(hint) is Literal:
        return ", ".join(repr(option) for option in get_args(hint))
    return WORDS.get(hint, str(hint))
