"""PNG files by their chunks: colour profiles and EXIF blocks taken out and put in."""

import struct
import zlib
from collections.abc import Collection, Iterator

from matte.limits import MAX_UNPACKED_PROFILE_BYTES

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 25  # of the IHDR chunk, which comes first
HEADER_DATA_BYTES = 13  # of it, without length, name and checksum
ZLIB_HEADER_BYTES = 2
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by the kinds of colour that have 16 bits
# Adam7's passes: first column and row, and the steps to the next ones.
INTERLACED = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
DAMAGED = b"damaged"
# Texts that may say how the camera was held. The others can be large, or damaged.
ORIENTATION_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")


def iterate_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's name and where it begins and ends, length and checksum included."""
    start = len(SIGNATURE)
    while start + 12 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], start, end
        start = end


def read_profile(data: bytes) -> bytes:
    """Return the file's ICC profile, b"" if there is none, DAMAGED if it can't be unpacked."""
    for name, start, end in iterate_chunks(data):
        if name == b"IDAT":
            break
        if name == b"iCCP":
            packed = data[start + 8 : end - 4].partition(b"\0")[2][1:]
            try:
                unpacked = zlib.decompressobj().decompress(packed, MAX_UNPACKED_PROFILE_BYTES)
            except zlib.error:
                return DAMAGED
            return unpacked or DAMAGED
    return b""


def strip_chunks(data: bytes, wanted: Collection[bytes]) -> bytes:
    """Return the file with its essential chunks and, of the optional ones, those that are wanted.

    b"text" wants the texts that may say how the camera was held.
    """
    parts, dropped = [data[: len(SIGNATURE)]], False
    for name, start, end in iterate_chunks(data):
        is_text = name[1:] == b"TXt" or name == b"tEXt"
        orients = b"text" in wanted and is_text and data.startswith(ORIENTATION_TEXTS, start + 8)
        if name[:1].isupper() or name in wanted or orients:
            parts.append(data[start:end])
        else:
            dropped = True
    return b"".join(parts) if dropped else data


def deep_png(data: bytes) -> bytes:
    """Return a PNG of 16 bits anew, with its pixels and its tRNS chunk, and with right checksums.

    What else is odd in it a decoder would print a line about. Raises ValueError or zlib.error where
    pixels are missing.
    """
    view = memoryview(data)
    chunks = [(name, view[start + 8 : end - 4]) for name, start, end in iterate_chunks(data)]
    header = bytes(chunks[0][1])
    channels = CHANNELS[header[9]]
    added = [_chunk(b"IHDR", header)]
    for name, body in chunks:
        if name == b"tRNS" and channels in (1, 3) and len(body) == 2 * channels:
            added.append(_chunk(name, bytes(body)))
    # Without the wrapping, whose checksum may be wrong though the pixels are whole.
    unpacker, length = zlib.decompressobj(-zlib.MAX_WBITS), _filtered_bytes(header, 2 * channels)
    packed = b"".join(body for name, body in chunks if name == b"IDAT")
    pixels = unpacker.decompress(memoryview(packed)[ZLIB_HEADER_BYTES:], length)
    if len(pixels) < length:
        raise ValueError("pixels are missing")
    del packed, unpacker
    stored = zlib.compress(pixels, 0)
    del pixels
    return b"".join((SIGNATURE, *added, *_chunk_parts(b"IDAT", stored), _chunk(b"IEND", b"")))


def _filtered_bytes(header: bytes, pixel_bytes: int) -> int:
    """Return how many bytes a picture's rows have, with the byte that names each one's filter."""
    width, height = struct.unpack(">II", header[:8])
    total = 0
    for left, top, across, down in INTERLACED if header[12] else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + columns * pixel_bytes)
    return total


def insert_metadata(data: bytes | memoryview, profile: bytes, exif: bytes) -> bytes:
    """Return the file with an ICC profile and an EXIF block behind its header; b"" for none."""
    end = len(SIGNATURE) + HEADER_BYTES
    added = b""
    if profile:
        added += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    if exif:
        added += _chunk(b"eXIf", exif)
    return b"".join((data[:end], added, data[end:]))


def _chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk's bytes: length, name, body, checksum."""
    return b"".join(_chunk_parts(name, body))


def _chunk_parts(name: bytes, body: bytes) -> tuple[bytes, ...]:
    """Return a chunk's parts: length, name, body, checksum."""
    checksum = zlib.crc32(body, zlib.crc32(name))
    return len(body).to_bytes(4, "big"), name, body, checksum.to_bytes(4, "big")
