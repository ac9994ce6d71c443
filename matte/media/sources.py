"""What pictures are read from: a file's path, a file's bytes, or a file that is open."""

import os
import select
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeGuard

from matte.errors import PictureError, web_address_error
from matte.limits import MAX_PIPE_WAIT_SECONDS

Source = str | Path | bytes | BinaryIO
HEAD_BYTES = 64  # that show a file's format
CheckHead = Callable[[bytes, str], object]  # of a file's first bytes and its name; raises


def is_source(value: object) -> TypeGuard[Source]:
    """Return whether the value is a path, bytes or a file to read, rather than an array."""
    return isinstance(value, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(
        value, "read"
    )


def source_name(source: Source, kind: str = "picture") -> str:
    """Return what errors call the source: its path, an open file's name, or "the picture"."""
    if isinstance(source, str | os.PathLike):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and name else f"the {kind}"


def as_path(name: str | Path, kind: str = "picture") -> Path:
    """Return the path of a file to read; raise for what is none, such as an address of the web.

    >>> as_path("photo.jpg")
    PosixPath('photo.jpg')
    """
    if not isinstance(name, str | os.PathLike):
        raise PictureError(f"a value of type {type(name).__name__} is no {kind}", "give a path")
    # os.path answers False where pathlib raises: long names.
    if isinstance(name, str) and "://" in name and not os.path.exists(name):  # noqa: PTH110  # as above
        raise web_address_error(name, kind)
    return Path(name)


def read_source(source: Source, check_head: CheckHead, kind: str = "picture") -> bytes:
    """Return the bytes of a file, once `check_head` has let its first bytes and its name pass.

    An open file is read from where it stands to its end, and stays open. Raises PictureError if it
    can't be read; text instead of bytes is refused, too.
    """
    name = source_name(source, kind)
    if isinstance(source, str | os.PathLike):
        return _read_path(as_path(source, kind), check_head)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        check_head(data[:HEAD_BYTES], name)
        return data
    try:
        head = source.read(HEAD_BYTES)
        if not isinstance(head, bytes):
            raise PictureError(f"{name} is open as text", "open it with 'rb'")
        check_head(head, name)
        return head + source.read()
    except (OSError, ValueError, MemoryError) as error:
        raise PictureError(f"can't read {name} ({error_text(error)})", "name a picture") from error


def error_text(error: Exception) -> str:
    """Return what a foreign exception says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__


def _read_path(path: Path, check_head: CheckHead) -> bytes:
    """Return the bytes of a file or a pipe, once its head is checked."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:  # Path.open takes no opener
            head = file.read(HEAD_BYTES)
            if not head and stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
                select.select([file], [], [], MAX_PIPE_WAIT_SECONDS)  # for whoever will write
                head = file.read(HEAD_BYTES)
            check_head(head, str(path))
            return head + file.read()
    except (OSError, ValueError, MemoryError) as error:
        raise PictureError(f"can't read {path} ({error_text(error)})", "name a picture") from error


def _open_without_waiting(path: str, flags: int) -> int:
    """Return a file's handle, not waiting for somebody to write into a pipe; refuse devices."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    kind = os.fstat(handle).st_mode
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        os.close(handle)
        raise PictureError(f"{path} is a device", "name a picture")
    if stat.S_ISFIFO(kind):
        os.set_blocking(handle, True)
    return handle
