from pathlib import Path

import pytest

from matte.errors import PictureError
from matte.media.formats import HEIF, SIGNATURES, picture_format
from matte.media.pictures import read_image


@pytest.mark.parametrize(("start", "kind", "module"), SIGNATURES)
def test_formats_are_known_by_their_first_bytes(start: bytes, kind: str, module: str) -> None:
    assert picture_format(start + bytes(12), "p") == (kind, module)


def test_avif_is_known_by_its_brand() -> None:
    assert picture_format(b"\0\0\0\x18ftypavif\0\0\0\0", "p") == ("AVIF", "Avif")


def test_heic_is_known_by_any_of_its_brands() -> None:
    head = b"\0\0\0\x18ftypmif1\0\0\0\0mif1"
    assert picture_format(head + b"heic", "p")[0] == HEIF
    assert picture_format(head + b"avif", "p")[0] == "AVIF"


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    for content, said in (
        (b"", "is empty: give a whole"),
        (b"hello, world, this is a text", "is not a readable picture: give a whole"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is not a readable picture: save it as JPEG or PNG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "is not a readable picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a readable picture"),
    ):
        path = tmp_path / "p.jpg"
        path.write_bytes(content)
        with pytest.raises(PictureError, match=rf"p\.jpg {said}"):
            read_image(path)
