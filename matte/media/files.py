"""Outputs that are whole or not there at all."""

import os
import tempfile
from pathlib import Path

from matte.errors import OutputError


def check_output(path: Path, overwrite: bool) -> None:
    """Raises if `path` can't be written: before the work is done, not after."""
    if not path.parent.is_dir():
        raise OutputError(f"no folder {path.parent} to write {path.name} into", "create it first")
    if path.is_dir():
        raise OutputError(f"{path} is a folder", "name a file")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists", "choose another name or add --overwrite")


def write_file(path: Path, data: bytes, overwrite: bool = False) -> None:
    """Writes under a temporary name beside `path`, then renames: never half a file."""
    check_output(path, overwrite)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise OutputError(f"can't write {path}", str(error.strerror)) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
