"""Outputs that are whole or not there at all, and that never replace an input."""

import os
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from matte.errors import OutputError


def check_outputs(
    outputs: Iterable[tuple[Path, Collection[str]]], sources: Iterable[Path], overwrite: bool
) -> None:
    """Raises if one of the outputs can't be written: before the work is done, not after.

    An output is a path and the endings that it may have. None may be a source, or another output.
    """
    taken = {os.path.realpath(source) for source in sources}
    inodes = {_inode(path) for path in taken} - {None}
    for path, endings in outputs:
        if path.suffix.lower() not in endings:
            raise OutputError(f"can't write {path.name}", "end it in " + ", ".join(sorted(endings)))
        check_output(path, overwrite)
        real = os.path.realpath(path)
        if real in taken or _inode(real) in inodes:
            raise OutputError(f"{path} is named twice", "give every file its own name")
        taken.add(real)


def check_output(path: Path, overwrite: bool) -> None:
    """Raises if `path` has no folder, is one itself, or exists and must not be replaced."""
    if not os.path.isdir(os.path.dirname(os.path.realpath(path))):
        raise OutputError(f"no folder {path.parent} to write {path.name} into", "create it first")
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder", "name a file")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{path} exists", "choose another name or add --overwrite")


def write_file(path: Path, data: bytes, overwrite: bool = False) -> None:
    """Writes under a temporary name beside `path`, then renames; a link's target is written."""
    check_output(path, overwrite)
    target = Path(os.path.realpath(path))
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".matte-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
        temporary = None
    except OSError as error:
        raise OutputError(
            f"can't write {path} ({error.strerror})", "choose another place"
        ) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _inode(path: str) -> tuple[int, int] | None:
    """What tells hard links of one file; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
