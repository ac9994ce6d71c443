"""Pictures through pipes."""

import sys

from matte.errors import OutputError, PictureError
from matte.media.opening import HEAD, MAX_PIXELS, reason, recognised
from matte.media.pictures import Photo, decode

STDIN = "standard input"


def read_stdin(max_pixels: int = MAX_PIXELS) -> Photo:
    """The picture on standard input."""
    remedy = "pipe a picture in: matte - < photo.jpg"
    if sys.stdin is None:
        raise PictureError(f"{STDIN} is closed", remedy)
    if sys.stdin.isatty():
        raise PictureError(f"{STDIN} is the keyboard", remedy)
    try:
        head = sys.stdin.buffer.read(HEAD)
        if not head:
            raise PictureError(f"{STDIN} is empty", remedy)
        recognised(head, STDIN)  # before all of it is read: it may have no end
        data = head + sys.stdin.buffer.read()
    except OSError as error:
        raise PictureError(f"can't read {STDIN} ({reason(error)})", remedy) from error
    return decode(data, STDIN, max_pixels)


def check_stdout() -> None:
    """Raises if a picture would be printed on a screen."""
    if sys.stdout is None:
        raise OutputError("standard output is closed", "redirect it, or name a file with -o")
    if sys.stdout.isatty():
        raise OutputError("standard output is a terminal", "redirect it, or name a file with -o")


def write_stdout(data: bytes) -> None:
    """Puts a file's bytes on standard output."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # whoever read has enough
    except OSError as error:
        raise OutputError(
            f"can't write to standard output ({error.strerror})", "choose another place"
        ) from error
