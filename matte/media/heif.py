"""HEIC and HEIF pictures, as iPhones make them, decoded by libheif."""

from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.errors import PictureError, install_command, is_memory_error
from matte.limits import check_pixels
from matte.media.pillow import DAMAGED_FILE_ERRORS
from matte.media.profiles import RGB, profile_space

# Two packages of one author with one interface, the kept one first: decisions/0026.
LIBRARIES = ("pillow_heif", "pi_heif")
REMEDY = "save it as JPEG or PNG"
MODES = ("RGB", "RGBA", "RGB;16", "RGBA;16")  # of grey ones, libheif makes colours


def decode_heif(data: bytes, name: str, max_pixels: int) -> tuple[NDArray[Any], bytes, bytes]:
    """Return the primary picture's RGB or RGBA pixels, upright, its ICC profile and its EXIF block.

    Pictures of more than 8 bits have 16.
    """
    library = _find_library(name)
    try:
        file = library.open_heif(data, convert_hdr_to_8bit=False)
        width, height = file.size
        check_pixels(name, width, height, max_pixels)
        if file.mode not in MODES:
            raise PictureError(f"{name} is a HEIC picture of an odd kind ({file.mode})", REMEDY)
        pixels = np.ascontiguousarray(np.asarray(file))
        profile, exif = file.info.get("icc_profile") or b"", file.info.get("exif") or b""
    except (MemoryError, *DAMAGED_FILE_ERRORS) as error:
        if is_memory_error(error):
            cause = f"{name} needs more memory than there is"
            raise PictureError(cause, "make it smaller, or set --max-memory") from error
        raise PictureError(f"{name} is not a readable picture", REMEDY) from error
    return pixels, profile if profile_space(profile) == RGB else b"", exif


def _find_library(name: str) -> ModuleType:
    """Return the library that reads HEIC; raise PictureError if there is none."""
    for library in LIBRARIES:
        if find_spec(library) is not None:
            return __import__(library)
    raise PictureError(f"{name} is an HEIC picture", f"{install_command('heif')}, or {REMEDY}")
