"""EXIF blocks: what cameras say about a picture, as it may go on to what is made of it.

A block is a TIFF structure, with or without "Exif" and two zeros in front. It is changed in place,
because makers' notes hold places counted from the block's beginning.
"""

import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image as Pillow

from matte.imaging.orientation import ORIENTATION_TAG as ORIENTATION

ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
DETAILS, PLACE, INTEROPERABILITY = 0x8769, 0x8825, 0xA005  # directories within
# Of a TIFF's own directory what is said about the picture; the rest is how its pixels are stored.
# Description, maker, model, resolution, software, time, artist, copyright.
DESCRIPTIVE = (0x10E, 0x10F, 0x110, ORIENTATION, 0x11A, 0x11B, 0x128, 0x131, 0x132, 0x13B, 0x8298)
STRIPS, STRIP_SIZES, JPEG, JPEG_SIZE = 0x111, 0x117, 0x201, 0x202  # where a thumbnail is
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes


def cleaned(exif: bytes) -> bytes:
    """The block with orientation 1 and without its thumbnail; b"" if it is damaged.

    The thumbnail's pixels are overwritten: they show what was cut away.
    """
    block = bytearray(exif.removeprefix(b"Exif\0\0"))
    order = ORDERS.get(bytes(block[:4]), "")
    if not order:
        return b""
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        entries, link = _directory(block, order, first)
        for at in entries:
            if struct.unpack_from(order + "H", block, at) == (ORIENTATION,):
                struct.pack_into(order + "HHIHH", block, at, ORIENTATION, 3, 1, 1, 0)
        second = struct.unpack_from(order + "I", block, link)[0] if link + 4 <= len(block) else 0
        if second:
            struct.pack_into(order + "I", block, link, 0)
            kept = block[first : link + 4]
            _erase_thumbnail(block, order, second)
            if block[first : link + 4] != kept:
                return b""
    except (struct.error, OverflowError):
        return b""
    return bytes(block)


def described(picture: Pillow.Image) -> bytes:
    """The block of a loaded picture, cleaned; b"" if there is none, or none that is whole."""
    if picture.format != "TIFF":
        return cleaned(picture.info.get("exif", b""))
    try:
        found, block = picture.getexif(), Pillow.Exif()
        for tag in DESCRIPTIVE:
            if tag in found:
                block[tag] = found[tag]
        for tag in (DETAILS, PLACE):
            if inner := {k: v for k, v in found.get_ifd(tag).items() if k != INTEROPERABILITY}:
                block[tag] = inner
        return cleaned(block.tobytes()) if len(block) else b""
    # What Pillow raises for values that are not of their tag's type.
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, struct.error):
        return b""


def descriptions(block: bytes) -> Iterator[tuple[int, bytes]]:
    """The entries of 12 bytes, each with its tag, that a TIFF beginning with `block` may keep."""
    order = ORDERS[block[:4]]
    for at in _directory(block, order, *struct.unpack_from(order + "I", block, 4))[0]:
        tag, kind, count, place = struct.unpack_from(order + "HHII", block, at)
        size = SIZES.get(kind, 0) * count
        if tag in (*DESCRIPTIVE, DETAILS, PLACE) and (0 < size <= 4 or place + size <= len(block)):
            yield tag, block[at : at + 12]


def _directory(block: bytes | bytearray, order: str, at: int) -> tuple[list[int], int]:
    """Where the entries of the directory at `at` are, and the link to the next one."""
    (count,) = struct.unpack_from(order + "H", block, at)
    end = at + 2 + 12 * count
    if end > len(block):
        raise struct.error("a directory that is cut off")
    return list(range(at + 2, end, 12)), end


def _erase_thumbnail(block: bytearray, order: str, at: int) -> None:
    """Overwrites the pixels that the directory at `at` tells of; cuts them off at the end."""
    found = dict(_numbers(block, order, at))
    for places, sizes in ((STRIPS, STRIP_SIZES), (JPEG, JPEG_SIZE)):
        for start, size in zip(found.get(places, ()), found.get(sizes, ()), strict=False):
            end = min(start + size, len(block))
            block[start:end] = b"" if end == len(block) else bytes(end - start)


def _numbers(block: bytearray, order: str, at: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The tags and values of a directory's whole numbers."""
    for entry in _directory(block, order, at)[0]:
        tag, kind, count = struct.unpack_from(order + "HHI", block, entry)
        if kind in (3, 4) and count <= len(block):
            code = f"{order}{count}{'H' if kind == 3 else 'I'}"
            place = entry + 8
            if struct.calcsize(code) > 4:
                (place,) = struct.unpack_from(order + "I", block, place)
            yield tag, struct.unpack_from(code, block, place)
