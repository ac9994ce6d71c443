"""Networks listed in the manifest of the user's store, and their files moved there."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from matte.configs.places import weights_folder
from matte.configs.tables import read_toml
from matte.files import write_pending
from matte.placement import pending_file, place_files, remove_quietly
from matte.weights.store import MANIFEST, Weights


def is_registered(name: str) -> bool:
    """Return whether the manifest of the user's store has a row for a network."""
    manifest = weights_folder() / MANIFEST
    return os.path.isfile(manifest) and name in read_toml(manifest)


def register_weights(
    name: str, weights: Weights, files: Iterable[Path] = (), overwrite: bool = True
) -> None:
    """Add a network to the manifest of the user's store, and move its files there; or do neither.

    `files` lie in a folder on the store's disk, under the names that they get. A network that had
    the name loses its files, unless other networks have them, too.
    """
    folder = weights_folder()
    manifest = folder / MANIFEST
    rows = read_toml(manifest) if os.path.isfile(manifest) else {}
    former = _file_names(rows.get(name))
    row = {
        f.name: getattr(weights, f.name)
        for f in fields(Weights)
        if f.name not in ("folder", "peer", "is_stranger")
    }
    rows[name] = {key: value for key, value in row.items() if value}
    if weights.peer is not None:
        rows[name]["peer"] = weights.peer.as_table()
    with ExitStack() as remaining:
        pending = [
            replace(pending_file(folder / file.name, overwrite), temporary=file) for file in files
        ]
        listing = pending_file(manifest, overwrite=True)
        write_pending(listing, _format_toml(rows).encode(), remaining)
        place_files([*pending, listing])
    for file in former - set[str]().union(*map(_file_names, rows.values())):
        remove_quietly(folder / file)


def _file_names(row: object) -> set[str]:
    """Return the files in its folder that a row of a manifest names."""
    values = row if isinstance(row, Mapping) else {}
    names = (values.get(key) for key in ("file", "int8", "checkpoint"))
    return {name for name in names if isinstance(name, str) and name == Path(name).name != ""}


def _format_toml(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return tables of strings and numbers, and of tables of those, as TOML."""
    lines = []
    for name, row in rows.items():
        lines += [
            f"[{json.dumps(name)}]",
            *(f"{k} = {_format_value(v)}" for k, v in row.items()),
            "",
        ]
    return "\n".join(lines)


def _format_value(value: Any) -> str:
    """Return a value of a row as TOML, which wants one more character escaped than JSON."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(k)} = {_format_value(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
