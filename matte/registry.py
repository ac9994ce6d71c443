"""Names that users type, looked up in literal tables of "module:attribute" addresses."""

import difflib
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from matte.errors import SettingError


def resolve(kind: str, table: Mapping[str, str], name: str) -> Any:
    """Return the object that `name` stands for in `table`; its module is imported only now."""
    if name not in table:
        raise SettingError(f"no {kind} {name!r}", nearest(name, table))
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a remedy for a mistyped word: the nearest known ones, or all of them.

    >>> nearest("guide", ["guided", "smooth"])
    "did you mean 'guided'?"
    """
    names = sorted(known)
    close = close_names(word, names)
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "choose from " + ", ".join(names) if names else "none is known"


def close_names(word: str, known: Iterable[str]) -> list[str]:
    """Return the known names that are nearest to a mistyped word: two at most, or none."""
    return difflib.get_close_matches(word, sorted(known), n=2, cutoff=0.6)
