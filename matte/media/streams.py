"""Pictures through pipes: standard input and output."""

import sys

from matte.errors import OutputError, PictureError
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.formats import picture_format
from matte.media.pictures import Photo, decode_photo
from matte.media.sources import HEAD_BYTES, error_text

STDIN = "standard input"


def read_stdin(max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Return the photo on standard input; raise PictureError if there is none."""
    remedy = "pipe a picture in: matte - < photo.jpg"
    if sys.stdin is None:
        raise PictureError(f"{STDIN} is closed", remedy)
    if sys.stdin.isatty():
        raise PictureError(f"{STDIN} is the keyboard", remedy)
    try:
        head = sys.stdin.buffer.read(HEAD_BYTES)
        if not head:
            raise PictureError(f"{STDIN} is empty", remedy)
        picture_format(head, STDIN)  # before all of it is read: it may have no end
        data = head + sys.stdin.buffer.read()
    except OSError as error:
        raise PictureError(f"can't read {STDIN} ({error_text(error)})", remedy) from error
    return decode_photo(data, STDIN, max_pixels)


def check_stdout() -> None:
    """Raise OutputError if a picture on standard output would be printed on a screen."""
    if sys.stdout is None:
        raise OutputError("standard output is closed", "redirect it, or name a file with -o")
    if sys.stdout.isatty():
        raise OutputError("standard output is a terminal", "redirect it, or name a file with -o")


def write_stdout(data: bytes) -> None:
    """Write a file's bytes to standard output."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # whoever read has enough
    except OSError as error:
        raise OutputError(
            f"can't write to standard output ({error.strerror})", "choose another place"
        ) from error
