import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from matte.media.exif import clean_exif, descriptive_entries, read_exif
from tests.media.files import exif, noise, said, saved

THUMBNAIL = b"\xff\xd8 the uncut picture \xff\xd9"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_the_orientation_is_reset_and_all_else_stays(order: str, prefix: bytes) -> None:
    block = exif(orientation=6, order=order)
    clean = clean_exif(prefix + block)
    assert len(clean) == len(block)
    assert sum(a != b for a, b in zip(clean, block, strict=True)) == 1
    found = Pillow.Exif()
    found.load(clean)
    assert found[0x112] == 1
    assert said(clean) == {tag: value for tag, value in said(block).items() if tag != 0x112}
    assert clean_exif(clean) == clean


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("behind", [b"", b"maker's note behind the thumbnail"])
def test_thumbnails_are_overwritten(order: str, behind: bytes) -> None:
    block = exif(order=order, thumbnail=THUMBNAIL) + behind
    assert THUMBNAIL in block
    clean = clean_exif(block)
    assert b"uncut" not in clean
    assert clean.endswith(behind)
    assert said(clean) == said(clean_exif(exif(order=order)))
    found = Pillow.Exif()
    found.load(clean)
    assert not found.get_ifd(0x1)  # the thumbnail's directory


def test_thumbnails_in_strips_are_overwritten() -> None:
    block = exif()
    (first,) = struct.unpack_from("<I", block, 4)
    link = first + 2 + 12 * struct.unpack_from("<H", block, first)[0]
    at = len(block)
    strips = at + 30
    second = struct.pack("<HHHIIHHII", 2, 0x111, 4, 2, strips, 0x117, 3, 2, 7 | 9 << 16)
    places = struct.pack("<II", strips + 8, strips + 8 + 7)
    linked = block[:link] + struct.pack("<I", at) + block[link + 4 :]
    whole = linked + second + bytes(4) + places + b"1234567" + b"abcdefghi" + b"!"
    clean = clean_exif(whole)
    assert b"1234567" not in clean
    assert b"abc" not in clean
    assert clean.endswith(b"!")


@pytest.mark.parametrize("block", [b"", b"nonsense", b"MM\0*\0\0", b"II*\0\xff\xff\xff\x7f"])
def test_damaged_blocks_are_left_out(block: bytes) -> None:
    assert clean_exif(block) == b""


def test_a_thumbnail_that_lies_in_the_directory_is_not_believed() -> None:
    block = exif(thumbnail=THUMBNAIL)
    (first,) = struct.unpack_from("<I", block, 4)
    at = block.index(struct.pack("<HHI", 0x201, 4, 1)) + 8
    assert clean_exif(block[:at] + struct.pack("<I", first) + block[at + 4 :]) == b""


@given(st.binary(max_size=80), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
def test_no_block_is_too_odd(body: bytes, head: bytes) -> None:
    clean = clean_exif(head + body)
    assert clean_exif(clean) == clean
    if clean:
        list(descriptive_entries(clean))


@given(st.integers(8, 300), st.binary(min_size=1, max_size=8))
def test_no_damage_is_too_odd(at: int, damage: bytes) -> None:
    block = bytearray(exif(thumbnail=THUMBNAIL))
    block[at : at + len(damage)] = damage
    clean = clean_exif(bytes(block))
    assert clean_exif(clean) == clean
    if clean:
        list(descriptive_entries(clean))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_format_is_asked(kind: str) -> None:
    block = exif(orientation=1)
    data = saved(noise(4, 5, 3), kind, exif=b"Exif\0\0" + block)
    with Pillow.open(io.BytesIO(data)) as picture:
        picture.load()
        found = read_exif(picture)
    told = said(found)
    assert {tag: told[tag] for tag in said(block)} == said(block)
