"""PNG files by their chunks: colour profiles and EXIF blocks taken out and put in."""

import zlib
from collections.abc import Collection, Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_PROFILE = 1 << 24  # bytes; more is a bomb
DAMAGED = b"damaged"
# Texts that may tell how the camera was held. The others can be large, or damaged.
TELLING = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The names of the chunks and where they begin and end, length and checksum included."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at, end
        at = end


def profile(data: bytes) -> bytes:
    """The ICC profile, b"" if there is none, DAMAGED if it can't be unpacked."""
    for name, start, end in chunks(data):
        if name == b"IDAT":
            break
        if name == b"iCCP":
            packed = data[start + 8 : end - 4].partition(b"\0")[2][1:]
            try:
                return zlib.decompressobj().decompress(packed, LARGEST_PROFILE) or DAMAGED
            except zlib.error:
                return DAMAGED
    return b""


def stripped(data: bytes, kept: Collection[bytes]) -> bytes:
    """The file without optional chunks but those `kept`; "text" keeps what may tell of turns."""
    parts, dropped = [data[: len(SIGNATURE)]], False
    for name, start, end in chunks(data):
        text = name[1:] == b"TXt" or name == b"tEXt"
        telling = b"text" in kept and text and data.startswith(TELLING, start + 8)
        if name[:1].isupper() or name in kept or telling:
            parts.append(data[start:end])
        else:
            dropped = True
    return b"".join(parts) if dropped else data


def described(data: bytes | memoryview, profile: bytes, exif: bytes) -> bytes:
    """The file with an ICC profile and an EXIF block behind its header; b"" for none."""
    at = len(SIGNATURE) + 25
    added = b""
    if profile:
        added += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    if exif:
        added += _chunk(b"eXIf", exif)
    return b"".join((data[:at], added, data[at:]))


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
