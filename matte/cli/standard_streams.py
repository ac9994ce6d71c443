"""The command line's standard streams: what can't be printed is one error, and no crash."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click


class PrintError(OSError):
    """Standard output did not take what was printed: a full disk, or a file opened for reading."""


class _OutputFile(io.FileIO):
    """Standard output as a file whose first failure raises PrintError; later ones are ignored."""

    def write(self, data: Any, /) -> int:
        """Write bytes; raise PrintError if that fails, BrokenPipeError if nobody reads any more."""
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EAGAIN):
                raise
            _discard(self.fileno())  # or what is buffered fails again when the program ends
            raise PrintError(error.errno, error.strerror) from error


class _ErrorFile(io.FileIO):
    """Standard error as a file whose failures are ignored: there is nowhere to report them."""

    def write(self, data: Any, /) -> int:
        """Write bytes, or do nothing where they can't be written."""
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


@contextmanager
def checked_streams() -> Iterator[None]:
    """Give the program standard streams that it can rely on, and end it if it can't print.

    A stream that is closed is opened on nothing: else the next file to be opened would take its
    place, and get what native code prints there.
    """
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if sys.stderr is None:
        nothing = io.BufferedWriter(_ErrorFile(2, "w", closefd=False))
        sys.stderr = io.TextIOWrapper(nothing, "utf-8", "replace")
    elif sys.stderr is sys.__stderr__:
        sys.stderr = _reopen(sys.stderr, _ErrorFile)
    if sys.stdout is not None and sys.stdout is sys.__stdout__:
        sys.stdout = _reopen(sys.stdout, _OutputFile)
    try:
        yield
    except PrintError as error:
        text = f"Error: can't print ({error.strerror}): redirect standard output to another place"
        click.echo(text, err=True)
        raise SystemExit(1) from error


def _reopen(stream: Any, kind: type[io.FileIO]) -> TextIO:
    """Return the stream with its bytes written by a file of that kind; a terminal stays itself.

    What its encoding can't write is escaped.
    """
    errors = "backslashreplace" if stream.errors == "strict" else stream.errors
    if stream.isatty() and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=errors)
        return stream
    stream.flush()
    file = kind(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding,
        errors=errors,
        line_buffering=stream is sys.__stderr__,
    )


def _discard(handle: int) -> None:
    """Point a handle at nothing: whatever is written there later is lost without an error."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, handle)
    os.close(nothing)
