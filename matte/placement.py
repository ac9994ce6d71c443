"""Files get their final names together: all of them or none, and no file is replaced unasked."""

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from matte.errors import OutputError
from matte.interrupts import held_interrupts
from matte.system_calls import UNSUPPORTED, has_ended, process_mark, rename_without_replacing

ANYBODY = 0o666  # the permissions that a new file gets, before the process's umask
OWNER = 0o600
BACKUP_SUFFIX = ".old"
# What is written has its process's mark in its name, so that what a killed one left is known.
LEFTOVER = re.compile(r"\.matte-([0-9a-f]+-\d+-\d+)-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file under a temporary name, and the name that it gets when it is whole."""

    temporary: Path
    path: Path
    """The name, as its user gave it."""
    target: Path
    """The same with its links followed, in the folder of `temporary`."""
    overwrite: bool = False
    permissions: int = ANYBODY
    """That the file may have, as `result_permissions` returns them."""


def pending_file(
    path: Path, overwrite: bool = False, permissions: int = ANYBODY, suffix: str = ""
) -> PendingFile:
    """Return a file with a free temporary name, which ends in `suffix`; it is not made yet."""
    target = Path(os.path.realpath(path))
    owner = process_mark()
    token = f"{owner}{owner and '-'}{secrets.token_hex(8)}"
    temporary = target.with_name(f".matte-{token}{suffix}")
    return PendingFile(temporary, path, target, overwrite, permissions)


def result_permissions(sources: Iterable[Path]) -> int:
    """Return the permissions that a file made from these may have: not more than each of them.

    Whoever owns it may read and write it in any case. Devices and files that are not there say
    nothing.
    """
    permissions = ANYBODY
    for source in sources:
        with suppress(OSError, ValueError):
            mode = source.stat().st_mode
            if stat.S_ISREG(mode):
                permissions &= mode | OWNER
    return permissions


def create_file(path: Path, permissions: int = ANYBODY) -> BinaryIO:
    """Create a file, which must not exist, with at most these permissions; return it open."""
    return open(  # Path.open takes no opener
        path, "xb", opener=lambda name, flags: os.open(name, flags, permissions)
    )


def place_files(files: Sequence[PendingFile]) -> None:
    """Rename all files to their final names; if one can't be, take the others back and raise.

    They are on the disk, not only in memory, when the first gets its name. A file that exists is
    replaced only where `overwrite` says so, whenever it appeared. Raises OutputError.
    """
    path, backups = Path(), list[Path]()
    with held_interrupts(), ExitStack() as rollback:
        try:
            for file in files:
                path = file.path
                _prepare(file)
            for file in files:
                path = file.path
                _place(file, rollback, None if file is files[-1] else backups)
        except FileExistsError as error:
            remedy = "choose another name or add --overwrite"
            raise OutputError(f"{path} exists", remedy) from error
        except OSError as error:
            raise write_error(path, error) from error
        rollback.pop_all()
        for backup in backups:
            remove_quietly(backup)
        for folder in {file.target.parent for file in files}:
            with suppress(OSError):  # the files are there, and Windows opens no folders
                _flush(folder)


@cache
def remove_leftovers(folder: Path) -> None:
    """Remove what processes of this machine that have ended were writing into a folder.

    This process looks into each folder once. Files with an ending stay: of an unfinished video, and
    of one that was being replaced, somebody may want what is there.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = LEFTOVER.fullmatch(entry.name)
            if found and entry.is_file(follow_symlinks=False) and has_ended(found[1]):
                remove_quietly(Path(entry.path))


def write_error(path: Path, error: OSError) -> OutputError:
    """Return the error to raise where the system refuses to write a file."""
    return OutputError(f"can't write {path} ({error.strerror})", "choose another place")


def remove_quietly(path: Path) -> None:
    """Remove a file if it is there; that it can't be removed stops no work."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _prepare(file: PendingFile) -> None:
    """Bring a file to the disk, and give it the permissions of the one that it replaces."""
    _flush(file.temporary)
    if file.overwrite and file.target.exists():
        former = stat.S_IMODE(file.target.stat().st_mode)
        file.temporary.chmod(former & (file.permissions | ~ANYBODY))


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk; some disks can't be asked."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (*UNSUPPORTED, errno.EBADF):
            raise
    finally:
        os.close(number)


def _place(file: PendingFile, rollback: ExitStack, backups: list[Path] | None) -> None:
    """Rename one file; `rollback` learns how that is undone, `backups` what it then needs."""
    if not file.overwrite:
        _rename_to_new(file.temporary, file.target)
    else:
        if backups is not None and os.path.lexists(file.target):
            backup = pending_file(file.target, suffix=BACKUP_SUFFIX).temporary
            _copy_name(file.target, backup)
            backups.append(backup)
            rollback.callback(_rename_quietly, backup, file.target)
        file.temporary.replace(file.target)
    rollback.callback(_rename_quietly, file.target, file.temporary)


def _rename_to_new(temporary: Path, target: Path) -> None:
    """Rename a file; raise FileExistsError if there is one of that name."""
    if rename_without_replacing(temporary, target):
        return
    # An empty file of ours keeps the name free until it is replaced.
    create_file(target).close()
    try:
        temporary.replace(target)
    except OSError:
        remove_quietly(target)
        raise


def _copy_name(path: Path, backup: Path) -> None:
    """Give a file a second name; a copy of it where the disk can't do that."""
    try:
        os.link(path, backup)
    except OSError:
        try:
            shutil.copy2(path, backup)
        except OSError:
            remove_quietly(backup)
            raise


def _rename_quietly(old: Path, new: Path) -> None:
    """Rename a file; what stopped the work is being raised, and matters more than a failure."""
    with suppress(OSError):
        old.replace(new)
