"""Bytes damaged at random."""

import random
import struct
import zlib

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
ODD_TEXTS = (
    b"\xff\xfe\x00\xd8",
    b"line\nError: forged\r\n",
    b"\x1b[31mred\x1b[0m",
    "Größe ‮".encode(),
    b"%s%n{0}",
    b"9" * 5000,
    b"",
)


def change(data: bytes, numbers: random.Random, head: int = 0) -> bytes:
    """The bytes with one to three changes; within the first `head` where that is not 0."""
    out = bytearray(data)
    for _ in range(numbers.choice((1, 1, 1, 2, 3))):
        if not out:
            break
        numbers.choice(WAYS)(out, numbers, min(len(out), head or len(out)))
    return bytes(out)


def cut(out: bytearray, numbers: random.Random, end: int) -> None:
    del out[numbers.randrange(end) :]


def flip(out: bytearray, numbers: random.Random, end: int) -> None:
    for _ in range(numbers.choice((1, 1, 2, 8, 30))):
        out[numbers.randrange(end)] ^= 1 << numbers.randrange(8)


def scatter(out: bytearray, numbers: random.Random, end: int) -> None:
    for _ in range(numbers.choice((1, 4, 20))):
        out[numbers.randrange(end)] = numbers.randrange(256)


def extreme(out: bytearray, numbers: random.Random, end: int) -> None:
    """Puts an extreme number where a length or a size may be."""
    code = numbers.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(code)
    if end >= size:
        value = numbers.choice(EXTREMES) & (256**size - 1)
        struct.pack_into(code, out, numbers.randrange(end - size + 1), value)


def insert(out: bytearray, numbers: random.Random, end: int) -> None:
    at = numbers.randrange(end)
    out[at:at] = numbers.choice((numbers.randbytes(numbers.randrange(1, 40)), *ODD_TEXTS))


def remove(out: bytearray, numbers: random.Random, end: int) -> None:
    at = numbers.randrange(end)
    del out[at : at + numbers.randrange(1, 40)]


def repeat(out: bytearray, numbers: random.Random, end: int) -> None:
    at, length = numbers.randrange(end), numbers.randrange(1, 200)
    out[at:at] = out[at : at + length]


def blank(out: bytearray, numbers: random.Random, end: int) -> None:
    at, length = numbers.randrange(end), numbers.randrange(1, 100)
    length = min(length, len(out) - at)
    out[at : at + length] = numbers.choice((b"\0", b"\xff")) * length


WAYS = (cut, flip, flip, scatter, extreme, extreme, insert, remove, repeat, blank)


def png_chunk(name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)
