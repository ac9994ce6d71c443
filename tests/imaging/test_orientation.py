import io

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.imaging.orientation import exif_orientation, turn_upright


def stored(exif: bytes, kind: str = "PNG") -> Pillow.Image:
    file = io.BytesIO()
    Pillow.new("RGB", (6, 4)).save(file, kind, exif=exif)
    return Pillow.open(file)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_tag_is_found(kind: str) -> None:
    exif = Pillow.Exif()
    assert exif_orientation(stored(exif.tobytes(), kind)) == 1
    exif[0x0112] = 8
    assert exif_orientation(stored(exif.tobytes(), kind)) == 8
    exif[0x0112] = 9
    assert exif_orientation(stored(exif.tobytes(), kind)) == 1


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0"])
def test_damaged_data_turn_nothing(exif: bytes) -> None:
    assert exif_orientation(stored(exif)) == 1


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, "ab/cd/ef"),
        (2, "ba/dc/fe"),
        (3, "fe/dc/ba"),
        (4, "ef/cd/ab"),
        (5, "ace/bdf"),
        (6, "eca/fdb"),
        (7, "fdb/eca"),
        (8, "bdf/ace"),
    ],
)
def test_pictures_are_turned_upright(orientation: int, expected: str) -> None:
    stored = np.array([list("ab"), list("cd"), list("ef")])
    assert "/".join("".join(row) for row in turn_upright(stored, orientation)) == expected
