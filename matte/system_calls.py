"""Calls of Linux that Python has no name for; elsewhere each says that it is not supported."""

import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

CURRENT_FOLDER = -100  # AT_FDCWD: relative paths begin in the process's own folder
NO_REPLACE = 1  # RENAME_NOREPLACE
KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE
NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
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
