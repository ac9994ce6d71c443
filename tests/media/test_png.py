import struct
import zlib
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.limits import MAX_UNPACKED_PROFILE_BYTES
from matte.media import png
from matte.media.encoding import encode
from matte.media.pictures import decode_photo
from tests.media.files import chunk, noise

FILE = encode(noise(4, 5, 3), ".png")
HEADER_END = len(png.SIGNATURE) + png.HEADER_BYTES


def with_chunk(name: bytes, body: bytes) -> bytes:
    return FILE[:HEADER_END] + chunk(name, body) + FILE[HEADER_END:]


def names(data: bytes) -> list[bytes]:
    return [name for name, _, _ in png.iterate_chunks(data)]


def test_chunks_cover_the_file_in_its_order() -> None:
    found = list(png.iterate_chunks(FILE))
    assert found[0] == (b"IHDR", len(png.SIGNATURE), HEADER_END)
    assert found[-1][0] == b"IEND"
    assert found[-1][2] == len(FILE)
    assert all(end == start for (_, _, end), (_, start, _) in pairwise(found))


def test_what_is_inserted_comes_behind_the_header_and_is_read_again() -> None:
    made = png.insert_metadata(FILE, b"a profile", b"an EXIF block")
    assert names(made)[:3] == [b"IHDR", b"iCCP", b"eXIf"]
    assert png.read_profile(made) == b"a profile"
    assert png.strip_chunks(made, ()) == FILE
    assert png.insert_metadata(FILE, b"", b"") == FILE
    assert png.read_profile(FILE) == b""


def test_damaged_profiles_and_bombs_are_told_from_none() -> None:
    assert png.read_profile(with_chunk(b"iCCP", b"name\0\0no deflate")) == png.DAMAGED
    bomb = zlib.compress(bytes(MAX_UNPACKED_PROFILE_BYTES + 1))
    assert len(png.read_profile(with_chunk(b"iCCP", b"name\0\0" + bomb))) == (
        MAX_UNPACKED_PROFILE_BYTES
    )


def test_only_wanted_optional_chunks_stay() -> None:
    xmp = b"XML:com.adobe.xmp\0" + bytes(9)
    made = with_chunk(b"tRNS", b"\0\0")
    for name, body in ((b"tEXt", b"a comment"), (b"iTXt", xmp)):
        made = made[:HEADER_END] + chunk(name, body) + made[HEADER_END:]
    assert names(png.strip_chunks(made, (b"tRNS", b"text")))[1:3] == [b"iTXt", b"tRNS"]
    assert png.strip_chunks(made, ()) == FILE


def interlaced(pixels: NDArray[np.uint16]) -> bytes:
    """The pixels (H, W, 3) as an interlaced PNG."""
    lines = b""
    for left, top, across, down in png.INTERLACED:
        part = pixels[top::down, left::across].astype(">u2")
        lines += b"".join(b"\0" + row.tobytes() for row in part if row.size)
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 1)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return png.SIGNATURE + parts


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 2, 3), (9, 13, 3)])
def test_deep_pixels_are_the_same_in_the_file_that_is_made_anew(shape: tuple[int, ...]) -> None:
    pixels = noise(*shape, dtype=np.uint16)
    for data in (encode(pixels, ".png"), interlaced(pixels)):
        assert np.array_equal(decode_photo(data, "p").pixels, pixels)
        with pytest.raises(ValueError, match="pixels are missing"):
            png.deep_png(cut_pixels(data))


def cut_pixels(data: bytes) -> bytes:
    """The file with fewer bytes of pixels, and right checksums."""
    chunks = [(name, data[start + 8 : end - 4]) for name, start, end in png.iterate_chunks(data)]
    lines = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    header = chunk(b"IHDR", chunks[0][1])
    return png.SIGNATURE + header + chunk(b"IDAT", zlib.compress(lines[:-1])) + chunk(b"IEND", b"")
