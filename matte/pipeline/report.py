"""What every report tells, in JSON: the machine, the files, the background."""

import hashlib
import json
from pathlib import Path
from typing import Any

from matte.compositing.backgrounds import Background, Blur, FilmFile, PictureFile, PlainColour
from matte.files import STREAM
from matte.runtime.machine import describe_machine


def report_bytes(report: dict[str, Any]) -> bytes:
    """Return the report as the bytes of a JSON file."""
    # Bytes of a name that are no text become JSON's own escapes.
    text = json.dumps(report, indent=2, ensure_ascii=False)
    return f"{text}\n".encode(errors="backslashreplace")


def background_facts(asked: Background) -> dict[str, Any] | str:
    """Return what names a background in a report."""
    if isinstance(asked, PictureFile | FilmFile):
        return file_facts(asked.path)
    if isinstance(asked, PlainColour):
        return {"colour": asked.rgb}
    return {"blur": str(asked.radius)} if isinstance(asked, Blur) else "transparent"


def file_facts(path: Path) -> dict[str, str]:
    """Return a file's name and SHA-256."""
    return {"file": str(path), "sha256": "" if path == STREAM else _digest(path)}


def _digest(path: Path) -> str:
    """The SHA-256 of a file; empty if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""


def machine_facts() -> dict[str, Any]:
    """Return the Python, the system and the packages that a report's numbers depend on."""
    machine = describe_machine()
    return {
        "python": machine["python"],
        "platform": machine["system"],
        "packages": machine["versions"],
    }
