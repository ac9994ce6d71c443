"""PNG files by their chunks: colour profiles and EXIF blocks taken out and put in."""

import zlib
from collections.abc import Collection, Iterator

from matte.limits import MAX_UNPACKED_PROFILE_BYTES

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 25  # of the IHDR chunk, which comes first
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
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
