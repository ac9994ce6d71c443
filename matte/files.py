"""Files that are written whole or not at all and never replace an input, and files in reports."""

import errno
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from matte.errors import OutputError
from matte.interrupts import held_interrupts
from matte.placement import (
    PendingFile,
    create_file,
    pending_file,
    place_files,
    remove_quietly,
    result_permissions,
    write_error,
)

STREAM = Path("-")  # standard input as a source, standard output as a target
RESULT_SUFFIX = "-matte"  # of the stem of a result's file, beside its source
Output = tuple[Path, Collection[str]]  # a file, and the endings that it may have


def check_outputs(outputs: Sequence[Output], sources: Iterable[Path], overwrite: bool) -> None:
    """Raise OutputError if an output can't be written: before the work is done, not after."""
    check_names(outputs, sources)
    for path, _ in outputs:
        check_output(path, overwrite)


def check_names(outputs: Iterable[Output], sources: Iterable[Path]) -> None:
    """Raise OutputError if an output has none of its endings, or is a source or another output."""
    used = {os.path.realpath(source) for source in sources}
    inodes = {_inode(path) for path in used} - {None}
    for path, endings in outputs:
        if path.suffix.lower() not in endings:
            remedy = "end it in " + ", ".join(sorted(endings))
            if not path.suffix:
                remedy += "; if it should be a folder, make that first"
            raise OutputError(f"can't write {path.name}", remedy)
        real = _real_path(path)
        if real in used or _inode(real) in inodes:
            raise OutputError(f"{path} is named twice", "give every file its own name")
        used.add(real)


def make_folder(folder: Path) -> None:
    """Make the folder, and those above it, unless it exists."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        cause = f"can't make the folder {folder} ({error.strerror})"
        raise OutputError(cause, "name another folder") from error


def check_output(path: Path, overwrite: bool) -> None:
    """Raise OutputError if `path` has no folder, is no file, or exists and must not be replaced."""
    real = _real_path(path)
    _check_name_length(path, real)
    if not os.path.isdir(os.path.dirname(real)):
        raise OutputError(f"no folder {path.parent} to write {path.name} into", "create it first")
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder", "name a file")
    if os.path.lexists(real) and not os.path.isfile(real):
        raise OutputError(f"{path} is no file but a device, a pipe or a loop", "name a file")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{path} exists", "choose another name or add --overwrite")


def write_file(
    path: Path, data: bytes, overwrite: bool = False, sources: Iterable[Path] = ()
) -> None:
    """Write one file or, if it can't be written, nothing, as write_files() does."""
    write_files([(path, data)], overwrite, sources)


def write_files(
    files: Sequence[tuple[Path, bytes]], overwrite: bool = False, sources: Iterable[Path] = ()
) -> None:
    """Write all files or, if one can't be written, none; a link's target is written.

    They are written under temporary names beside their own, then renamed. Nobody may read them
    who may not read the `sources` that they were made from.
    """
    for path, _ in files:
        check_output(path, overwrite)
    permissions = result_permissions(sources)
    pending = [pending_file(path, overwrite, permissions) for path, _ in files]
    with held_interrupts(), ExitStack() as remaining:
        for file, (_, data) in zip(pending, files, strict=True):
            write_pending(file, data, remaining)
        place_files(pending)


def write_pending(file: PendingFile, data: bytes, remaining: ExitStack) -> None:
    """Write a file under its temporary name; what is left of it is removed with `remaining`."""
    remaining.callback(remove_quietly, file.temporary)
    try:
        with create_file(file.temporary, file.permissions) as opened:
            opened.write(data)
    except OSError as error:
        raise write_error(file.path, error) from error


def _real_path(path: Path) -> str:
    """Return the path with its links followed."""
    try:
        return os.path.realpath(path)
    except ValueError as error:  # a zero in it
        raise OutputError(f"{str(path)!r} is no file's name", "choose another name") from error


def _check_name_length(path: Path, real: str) -> None:
    """Raise OutputError if the disk takes no name as long as this: before the work, not after."""
    try:
        os.lstat(real)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            cause = f"can't write {path} ({error.strerror})"
            raise OutputError(cause, "choose a shorter name") from error


def _inode(path: str) -> tuple[int, int] | None:
    """Return device and inode, which hard links of one file share; None if no file is there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def file_facts(path: Path) -> dict[str, str]:
    """Return a file's name and SHA-256 for a report; the hash is empty if it can't be read."""
    digest = ""
    if path != STREAM:
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError):
            pass
    return {"file": str(path), "sha256": digest}


def report_bytes(report: dict[str, Any], indent: int = 2, allow_nan: bool = True) -> bytes:
    """Return a report as the bytes of a JSON file."""
    # Bytes of a name that are no text become JSON's own escapes.
    text = json.dumps(report, indent=indent, allow_nan=allow_nan, ensure_ascii=False)
    return f"{text}\n".encode(errors="backslashreplace")
