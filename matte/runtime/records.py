"""Small JSON files in the cache: what is remembered there is nothing where it is damaged."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from matte.errors import OutputError
from matte.files import write_file


def record_name(*facts: object) -> str:
    """Return a short name for what depends on these facts alone."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:20]


def read_record(file: Path) -> dict[str, Any]:
    """Return a record; an empty one where there is none that can be read."""
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(file: Path, record: dict[str, Any]) -> None:
    """Write a record; where that fails, as on a full disk, nothing is remembered."""
    with suppress(OSError, OutputError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, json.dumps(record, indent=1).encode(), overwrite=True)
