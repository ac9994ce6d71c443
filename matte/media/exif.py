"""EXIF blocks: what cameras say about a picture, cleaned for the pictures made of it.

A block is a TIFF structure, with or without "Exif" and two zeros in front. It is changed in place,
because makers' notes hold places counted from the block's beginning.
"""

import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image as Pillow

from matte.imaging.orientation import ORIENTATION_TAG as ORIENTATION

BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
DETAILS, PLACE, INTEROPERABILITY = 0x8769, 0x8825, 0xA005  # tags of the directories within
# Tags of a TIFF's own directory that describe the picture; the rest is how its pixels are stored.
# Description, maker, model, resolution, software, time, artist, copyright.
DESCRIPTIVE = (0x10E, 0x10F, 0x110, ORIENTATION, 0x11A, 0x11B, 0x128, 0x131, 0x132, 0x13B, 0x8298)
STRIPS, STRIP_SIZES, JPEG, JPEG_SIZE = 0x111, 0x117, 0x201, 0x202  # where a thumbnail is
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


def clean_exif(exif: bytes) -> bytes:
    """Return the block with orientation 1 and without its thumbnail; b"" if it is damaged.

    The thumbnail's pixels are overwritten: they show what was cut away.
    """
    block = bytearray(exif.removeprefix(b"Exif\0\0"))
    order = BYTE_ORDERS.get(bytes(block[:4]), "")
    if not order:
        return b""
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        entries, link = _directory_entries(block, order, first)
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


def read_exif(picture: Pillow.Image) -> bytes:
    """Return a loaded picture's block, cleaned; b"" if there is none, or none that is whole."""
    if picture.format != "TIFF":
        return clean_exif(picture.info.get("exif", b""))
    try:
        found, block = picture.getexif(), Pillow.Exif()
        for tag in DESCRIPTIVE:
            if tag in found:
                block[tag] = found[tag]
        for tag in (DETAILS, PLACE):
            if inner := {k: v for k, v in found.get_ifd(tag).items() if k != INTEROPERABILITY}:
                block[tag] = inner
        return clean_exif(block.tobytes()) if len(block) else b""
    # What Pillow raises for values that are not of their tag's type.
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, struct.error):
        return b""


def descriptive_entries(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tags and the 12-byte entries of a block that describe the picture.

    A TIFF that begins with the block may have them in its directory.
    """
    order = BYTE_ORDERS[block[:4]]
    for at in _directory_entries(block, order, *struct.unpack_from(order + "I", block, 4))[0]:
        tag, kind, count, place = struct.unpack_from(order + "HHII", block, at)
        size = TYPE_BYTES.get(kind, 0) * count
        if tag in (*DESCRIPTIVE, DETAILS, PLACE) and (0 < size <= 4 or place + size <= len(block)):
            yield tag, block[at : at + 12]


def _directory_entries(block: bytes | bytearray, order: str, start: int) -> tuple[list[int], int]:
    """Return the places of the entries of the directory at `start`, and of its link to the next."""
    (count,) = struct.unpack_from(order + "H", block, start)
    end = start + 2 + 12 * count
    if end > len(block):
        raise struct.error("a directory that is cut off")
    return list(range(start + 2, end, 12)), end


def _erase_thumbnail(block: bytearray, order: str, start: int) -> None:
    """Overwrite the pixels of the thumbnail whose directory begins at `start`.

    At the end of the block they are cut off.
    """
    values = dict(_integer_values(block, order, start))
    for places, sizes in ((STRIPS, STRIP_SIZES), (JPEG, JPEG_SIZE)):
        for first, size in zip(values.get(places, ()), values.get(sizes, ()), strict=False):
            end = min(first + size, len(block))
            block[first:end] = b"" if end == len(block) else bytes(end - first)


def _integer_values(block: bytearray, order: str, at: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the tags and values of a directory's whole numbers."""
    for entry in _directory_entries(block, order, at)[0]:
        tag, kind, count = struct.unpack_from(order + "HHI", block, entry)
        if kind in (3, 4) and count <= len(block):
            code = f"{order}{count}{'H' if kind == 3 else 'I'}"
            place = entry + 8
            if struct.calcsize(code) > 4:
                (place,) = struct.unpack_from(order + "I", block, place)
            yield tag, struct.unpack_from(code, block, place)
