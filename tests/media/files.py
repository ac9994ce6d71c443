"""Files made by hand, and small questions about them."""

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.media.exif import DETAILS, PLACE

RANDOM = np.random.default_rng(1)


def saved(picture: Pillow.Image | NDArray[Any], kind: str, **options: Any) -> bytes:
    """A file's bytes, by Pillow."""
    file = io.BytesIO()
    if not isinstance(picture, Pillow.Image):
        picture = Pillow.fromarray(picture)
    picture.save(file, kind, **options)
    return file.getvalue()


def noise(*shape: int, dtype: type[Any] = np.uint8) -> NDArray[Any]:
    return RANDOM.integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def png(width: int, height: int, depth: int, kind: int, rows: bytes, before: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def tiff(tags: Mapping[int, tuple[int, ...]], pixels: bytes, order: str = "<") -> bytes:
    """A TIFF with these whole numbers as tags; its pixels are one strip."""
    tags = {**tags, 0x111: (8,), 0x117: (len(pixels),)}
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 42)
    body, far, at = b"", b"", 8 + len(pixels)
    for tag in sorted(tags):
        values = struct.pack(f"{order}{len(tags[tag])}I", *tags[tag])
        place = values
        if len(values) > 4:
            place = struct.pack(order + "I", at + 6 + 12 * len(tags) + len(far))
            far += values
        body += struct.pack(order + "HHI", tag, 4, len(tags[tag])) + place
    directory = struct.pack(order + "H", len(tags)) + body + bytes(4) + far
    return head + struct.pack(order + "I", at) + pixels + directory


def exif(
    orientation: int = 6,
    order: str = "<",
    maker: str = "Maker",
    seconds: tuple[int, int] = (1, 250),
    thumbnail: bytes = b"",
) -> bytes:
    """An EXIF block as cameras write it."""
    block = Pillow.Exif()
    block.endian = order
    block[0x112] = orientation
    block[0x10F] = maker
    block[DETAILS] = {0x9003: "2024:05:06 07:08:09", 0x829A: seconds, 0x927C: b"\0\1maker's note"}
    block[PLACE] = {1: "N", 2: (48.0, 8.0, 15.0)}
    data = block.tobytes().removeprefix(b"Exif\0\0")
    if not thumbnail:
        return data
    (first,) = struct.unpack_from(order + "I", data, 4)
    link = first + 2 + 12 * struct.unpack_from(order + "H", data, first)[0]
    at = len(data)
    second = struct.pack(order + "HHHIIHHII", 2, 0x201, 4, 1, at + 30, 0x202, 4, 1, len(thumbnail))
    linked = data[:link] + struct.pack(order + "I", at) + data[link + 4 :]
    return linked + second + bytes(4) + thumbnail


def said(block: bytes) -> dict[int, Any]:
    """What an EXIF block says, without where in it and without the orientation if it is 1."""
    if not block:
        return {}
    found = Pillow.Exif()
    found.load(block)
    told = {**found, **found.get_ifd(DETAILS), **found.get_ifd(PLACE)}
    if told.get(0x112) == 1:
        del told[0x112]
    return {tag: value for tag, value in told.items() if tag not in (DETAILS, PLACE)}
