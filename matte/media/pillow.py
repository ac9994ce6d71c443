"""Pictures decoded by Pillow; what it raises, warns of or refuses stops here."""

import functools
import importlib
import io
import logging
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import cv2
from PIL import Image as Pillow

from matte.errors import MatteWarning, PictureError, is_memory_error
from matte.limits import check_pixels
from matte.media.formats import HEIF, REMEDY, picture_format
from matte.media.png import strip_chunks
from matte.media.sources import HEAD_BYTES

# What decoders raise when a file is damaged.
DAMAGED_FILE_ERRORS = (
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
# Pillow logs what it then raises; where nobody listens to logs, Python prints them.
logging.getLogger("PIL").addHandler(logging.NullHandler())
OPTIONAL_PNG_CHUNKS = (b"tRNS", b"eXIf", b"acTL", b"text")  # that say how a picture is shown


class _WithoutPillowLimits:
    """Suspends Pillow's own limit and its warnings while anybody is inside a `with` block.

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


without_pillow_limits = _WithoutPillowLimits()


@functools.cache
def _silence_libtiff() -> None:
    """Have Pillow's libtiff print nothing on standard error: what goes wrong is raised.

    Its handlers are functions of the library that Pillow's own module is linked with.
    """
    import ctypes

    with suppress(OSError, AttributeError):  # linked in another way: it goes on printing
        library = ctypes.CDLL(sys.modules["PIL._imaging"].__file__)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)


@contextmanager
def open_with_pillow(data: bytes, name: str, max_pixels: int) -> Iterator[Pillow.Image]:
    """Open the picture that a file's bytes hold, decoded; what goes wrong is a PictureError."""
    kind, module = picture_format(data[:HEAD_BYTES], name)
    if kind == HEIF:
        raise PictureError(f"{name} is an HEIC picture", "save it as PNG")
    try:
        with without_pillow_limits:
            importlib.import_module(f"PIL.{module}ImagePlugin")
            if kind == "TIFF":
                _silence_libtiff()
            file = io.BytesIO(strip_chunks(data, OPTIONAL_PNG_CHUNKS) if kind == "PNG" else data)
            with Pillow.open(file, formats=(kind,)) as picture:
                check_pixels(name, *picture.size, max_pixels)
                picture.load()
                del file  # it may be as large as the picture
                # A JPEG may carry more pictures, for example its depth: it is no animation.
                if kind != "JPEG" and getattr(picture, "is_animated", False):
                    text = f"{name} holds several pictures: the first is used"
                    warnings.warn(text, MatteWarning, stacklevel=4)
                yield picture
    except (MemoryError, *DAMAGED_FILE_ERRORS) as error:
        if is_memory_error(error):
            cause = f"{name} needs more memory than there is"
            raise PictureError(cause, "make it smaller, or set --max-memory") from error
        if "CV_IO_MAX_IMAGE" in str(error):
            raise PictureError(
                f"{name} is too large for OpenCV",
                "set OPENCV_IO_MAX_IMAGE_PIXELS, _WIDTH and _HEIGHT, or save it with 8 bits",
            ) from error
        raise PictureError(f"{name} is not a readable picture", REMEDY) from error
