import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from matte.imaging.channels import swap_red_and_blue
from matte.media.exif import clean_exif
from matte.media.pictures import decode_photo
from matte.media.tiff import encode_tiff
from tests.media.files import exif, noise
from tests.media.profiles import display_p3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
@pytest.mark.parametrize("size", [(1, 1), (37, 23), (3, 70_001)])
def test_pixels_come_back_exactly_by_another_decoder(
    size: tuple[int, int], channels: tuple[int, ...], dtype: type[Any]
) -> None:
    array = noise(*size, *channels, dtype=dtype)
    data = encode_tiff(array)
    if dtype == np.uint8:
        found = np.asarray(Pillow.open(io.BytesIO(data)))
    else:
        deep: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        found = swap_red_and_blue(deep, deep) if channels else deep
    assert np.array_equal(found, array)


@pytest.mark.parametrize("order", ["<", ">"])
def test_profile_and_exif_come_back_in_either_byte_order(order: str) -> None:
    array, block = noise(30, 40, 3, dtype=np.uint16), clean_exif(exif(order=order))
    assert block
    photo = decode_photo(encode_tiff(array, display_p3(), block), "p.tif")
    assert np.array_equal(photo.pixels, array)
    assert photo.profile == display_p3()
    assert b"Maker" in photo.exif
