"""Calls of Linux that Python has no name for; elsewhere each says that it is not supported."""

import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

CURRENT_FOLDER = -100  # AT_FDCWD: relative paths begin in the process's own folder
NO_REPLACE = 1  # RENAME_NOREPLACE
KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE
NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
# Options of glibc's allocator: how much free memory goes back to the system, how much more than is
# wanted comes from it, how many large blocks are the system's own. First what glibc begins with.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
ALLOCATOR_DEFAULTS = {TRIM_THRESHOLD: 128 << 10, TOP_PAD: 128 << 10, MMAP_MAX: 65536}
KEEPING_MEMORY = {TRIM_THRESHOLD: (1 << 31) - 1, TOP_PAD: 256 << 20, MMAP_MAX: 0}
UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


def rename_without_replacing(old: Path, new: Path) -> bool:
    """Rename a file in one step unless `new` exists; return False where that can't be asked for.

    Raises FileExistsError if `new` exists, OSError if the file can't be renamed.
    """
    paths = (CURRENT_FOLDER, os.fsencode(old), CURRENT_FOLDER, os.fsencode(new))
    return _call("renameat2", *paths, NO_REPLACE)


def allocate(file: int, length: int) -> bool:
    """Give an open file room for `length` bytes; return False where that can't be asked for.

    The file's length stays what it is. Raises OSError if the disk has no such room, or if the
    process may not write as much into one file.
    """
    if sys.platform != "linux":
        return False
    from ctypes import c_int64
    from resource import RLIM_INFINITY, RLIMIT_FSIZE, getrlimit

    limit, _ = getrlimit(RLIMIT_FSIZE)  # which the system asks for only when the file grows
    if limit != RLIM_INFINITY and length > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    try:
        return _call("fallocate64", file, KEEP_SIZE, c_int64(0), c_int64(length))
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        return False


def process_mark() -> str:
    """Return what tells this process from all others whose files lie in the same folders.

    It names the machine, the process's number there, and when it began. Empty where the system
    doesn't say.
    """
    machine, found = _machine_mark(), _state_and_start(os.getpid())
    return f"{machine}-{os.getpid()}-{found[1]}" if machine and found else ""


def has_ended(mark: str) -> bool:
    """Return whether a process, by its mark, was on this machine and is no more.

    Nothing is known of other machines' processes, nor of those before this one last started.
    """
    machine, pid, start = mark.split("-")
    if not machine or machine != _machine_mark():
        return False
    with suppress(PermissionError):  # somebody else's is there
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, OverflowError):
            return True
    found = _state_and_start(int(pid))
    return found is not None and (found[1] != start or found[0] in "ZX")


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Let the process keep memory that is freed inside the block for what is allocated next there.

    Otherwise large blocks go back to the system at once, and every new one is cleared anew, page by
    page. It does nothing where the C library is another than glibc.
    """
    set_option, trim = _function("mallopt"), _function("malloc_trim")
    if set_option is None or trim is None:
        yield
        return
    try:
        for option, value in KEEPING_MEMORY.items():
            set_option(option, value)
        yield
    finally:
        for option, value in ALLOCATOR_DEFAULTS.items():
            set_option(option, value)
        trim(0)


@cache
def _machine_mark() -> str:
    """Return what tells this machine, since it started, and this container from others.

    Processes have numbers of their own in each container. Empty where the system doesn't say.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        spaces = [str(Path(f"/proc/self/ns/{name}").readlink()) for name in ("pid", "time")]
    except OSError:
        return ""
    return hashlib.sha256("\n".join([os.uname().nodename, boot, *spaces]).encode()).hexdigest()[:8]


def _state_and_start(pid: int) -> tuple[str, str] | None:
    """Return a process's state, a letter, and when it began; None if it can't be read."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return None


@cache
def _function(name: str) -> Any:
    """Return a function of the C library; None where it has none of that name."""
    if sys.platform != "linux":
        return None
    from ctypes import CDLL  # loaded by what writes, and not by `matte --help`

    return getattr(CDLL(None, use_errno=True), name, None)


def _call(name: str, *arguments: Any) -> bool:
    """Call a function of the C library; return False if the system or the disk lacks it."""
    function = _function(name)
    if function is None:
        return False
    from ctypes import get_errno

    if function(*arguments) == 0:
        return True
    number = get_errno()
    if number in UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number))
