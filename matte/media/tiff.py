"""TIFF files of 8 and 16 bits with their colour profile and EXIF block."""

import struct
import zlib
from typing import Any, Literal

from numpy.typing import NDArray

from matte.media.exif import descriptive_entries

Order = Literal["<", ">"]

STRIP_BYTES = 1 << 18  # of pixels that are packed together
SHORT, LONG, UNDEFINED = (3, "H"), (4, "I"), (7, "B")  # TIFF's types, and struct's codes


def encode_tiff(array: NDArray[Any], profile: bytes = b"", exif: bytes = b"") -> bytes:
    """Return a TIFF of grey, RGB or straight RGBA as uint8 or uint16, losslessly compressed.

    The EXIF block, itself a TIFF without pixels, becomes the beginning of the file: nothing in it
    is moved, and the file's directory, which stands at the end, points into it.
    """
    order: Order = ">" if exif[:2] == b"MM" else "<"
    out = bytearray(exif or b"II*\0\0\0\0\0")
    entries = dict(descriptive_entries(exif)) if exif else {}

    def add_entry(tag: int, kind: tuple[int, str], *values: int) -> None:
        """Add a tag to the directory; values that its entry can't hold go before it."""
        number, code = kind
        _pad_to_even(out)
        packed = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(packed) > 4:
            place = struct.pack(order + "I", len(out))
            out.extend(packed)
        else:
            place = packed.ljust(4, b"\0")
        entries[tag] = struct.pack(order + "HHI", tag, number, len(values)) + place

    height, width = array.shape[:2]
    channels = 1 if array.ndim == 2 else array.shape[2]
    rows = max(1, STRIP_BYTES // (width * channels * array.itemsize))
    places, sizes = [], []
    for top in range(0, height, rows):
        _pad_to_even(out)
        packed = zlib.compress(_pixel_differences(array[top : top + rows], order), 1)
        places.append(len(out))
        sizes.append(len(packed))
        out.extend(packed)
    add_entry(0x100, LONG, width)
    add_entry(0x101, LONG, height)
    add_entry(0x102, SHORT, *[8 * array.itemsize] * channels)
    add_entry(0x103, SHORT, 8)  # deflate
    add_entry(0x106, SHORT, 1 if channels == 1 else 2)  # black is zero; RGB
    add_entry(0x111, LONG, *places)
    add_entry(0x115, SHORT, channels)
    add_entry(0x116, LONG, rows)
    add_entry(0x117, LONG, *sizes)
    add_entry(0x13D, SHORT, 2)  # differences of neighbours
    if channels == 4:
        add_entry(0x152, SHORT, 2)  # straight alpha
    if profile:
        add_entry(0x8773, UNDEFINED, *profile)
    _pad_to_even(out)
    struct.pack_into(order + "I", out, 4, len(out))
    out += struct.pack(order + "H", len(entries))
    out += b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return bytes(out)


def _pixel_differences(array: NDArray[Any], order: Order) -> bytes:
    """Return each pixel minus its left neighbour, as bytes, which compress better."""
    less = array.copy()
    less[:, 1:] -= array[:, :-1]
    return less.astype(less.dtype.newbyteorder(order), copy=False).tobytes()


def _pad_to_even(out: bytearray) -> None:
    """Add a zero if the length is odd: directories and values begin at even offsets."""
    if len(out) % 2:
        out.append(0)
