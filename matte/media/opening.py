"""Files opened and pictures decoded; what Pillow raises, warns of or refuses stops here."""

import importlib
import io
import os
import select
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from PIL import Image as Pillow

from matte.configs.settings import MediaSettings
from matte.errors import MatteWarning, PictureError
from matte.media.png import stripped

MAX_PIXELS = MediaSettings().max_pixels
# What files begin with, the format, and the module of Pillow that decodes it. No others are tried:
# some of Pillow's start programs.
SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG", "Jpeg"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "Png"),
    (b"RIFF", "WEBP", "WebP"),
    (b"II*\0", "TIFF", "Tiff"),
    (b"MM\0*", "TIFF", "Tiff"),
    (b"II+\0", "TIFF", "Tiff"),
    (b"MM\0+", "TIFF", "Tiff"),
    (b"BM", "BMP", "Bmp"),
    (b"GIF8", "GIF", "Gif"),
    (b"P5", "PPM", "Ppm"),
    (b"P6", "PPM", "Ppm"),
)
AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"msf1")
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")
HEAD = 16  # bytes that tell the format
PATIENCE = 2.0  # seconds that a pipe may stay without a writer
# What decoders raise when a file is damaged.
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    cv2.error,
)
REMEDY = "give a whole JPEG, PNG, TIFF, WebP, AVIF or BMP of 8 or 16 bits"


class _Unhindered:
    """Pillow without its own limit and its warnings while anybody is inside; then as it was.

    Both are the process's, so threads that are inside at one time share them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)
                Pillow.MAX_IMAGE_PIXELS = self._limit


unhindered = _Unhindered()


def contents(path: Path, recognised: Callable[[bytes, str], object]) -> bytes:
    """The bytes of a file or a pipe, once `recognised` has let its head and its name pass."""
    try:
        with open(path, "rb", opener=_open) as file:  # Path.open takes no opener
            head = file.read(HEAD)
            if not head and stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
                select.select([file], [], [], PATIENCE)  # for whoever will write
                head = file.read(HEAD)
            recognised(head, str(path))
            return head + file.read()
    except (OSError, ValueError, MemoryError) as error:
        raise PictureError(f"can't read {path} ({reason(error)})", "name a picture") from error


def recognised(head: bytes, name: str) -> tuple[str, str]:
    """The format that a file with this head has, and Pillow's module for it."""
    for start, kind, module in SIGNATURES:
        if head.startswith(start):
            return kind, module
    if head[4:8] == b"ftyp" and head[8:12] in AVIF_BRANDS:
        return "AVIF", "Avif"
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        raise PictureError(f"{name} is an HEIC picture", "save it as JPEG or PNG")
    raise PictureError(f"{name} is {'not a readable picture' if head else 'empty'}", REMEDY)


@contextmanager
def opened(data: bytes, name: str, max_pixels: int) -> Iterator[Pillow.Image]:
    """The picture, decoded by Pillow; what goes wrong with it inside is a PictureError."""
    kind, module = recognised(data[:HEAD], name)
    known = (b"tRNS", b"eXIf", b"acTL", b"text")
    try:
        with unhindered:
            importlib.import_module(f"PIL.{module}ImagePlugin")
            file = io.BytesIO(stripped(data, known) if kind == "PNG" else data)
            with Pillow.open(file, formats=(kind,)) as picture:
                refuse_large(picture.size, name, max_pixels)
                picture.load()
                del file  # it may be as large as the picture
                # A JPEG may carry more pictures, for example its depth: it is no animation.
                if kind != "JPEG" and getattr(picture, "is_animated", False):
                    text = f"{name} holds several pictures: the first is used"
                    warnings.warn(text, MatteWarning, stacklevel=4)
                yield picture
    except MemoryError as error:
        raise PictureError(f"{name} needs more memory than there is", "make it smaller") from error
    except DAMAGED as error:
        if "CV_IO_MAX_IMAGE" in str(error):
            raise PictureError(
                f"{name} is too large for OpenCV",
                "set OPENCV_IO_MAX_IMAGE_PIXELS, _WIDTH and _HEIGHT, or save it with 8 bits",
            ) from error
        raise PictureError(f"{name} is not a readable picture", REMEDY) from error


def refuse_large(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Raises if a picture of this width and height has more pixels than allowed."""
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            f"{name} is {width}×{height}, {round(width * height / 1e6, 1):g} megapixels",
            "raise --max-pixels or --max-memory, or give a smaller picture",
        )


def reason(error: Exception) -> str:
    """What a foreign exception says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__


def _open(path: str, flags: int) -> int:
    """A handle, without waiting for somebody to write into a pipe; of no device."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    kind = os.fstat(handle).st_mode
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        os.close(handle)
        raise PictureError(f"{path} is a device", "name a picture")
    if stat.S_ISFIFO(kind):
        os.set_blocking(handle, True)
    return handle
