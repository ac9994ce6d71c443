import io
from typing import Any

import numpy as np
import psd_tools
import pytest
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.errors import OutputError
from matte.media.psd import PsdLayer, encode_psd
from tests.conftest import disc
from tests.media.profiles import display_p3

IMAGE, ALPHA = disc(41, 53)


def opened(data: bytes) -> psd_tools.PSDImage:
    return psd_tools.PSDImage.open(io.BytesIO(data))


def pixels(part: Any) -> NDArray[Any]:
    """Returns the colours of a document or a layer, 0 … 1."""
    return np.asarray(part.numpy("color"))


@pytest.mark.parametrize("factor", [1, 257])
def test_layers_have_masks_that_are_not_applied(factor: int) -> None:
    colours = IMAGE if factor == 1 else Image(IMAGE.astype(np.uint16) * np.uint16(factor))
    layers = [PsdLayer("photo", colours, ALPHA, is_hidden=True), PsdLayer("ä" * 300, colours)]
    found = opened(encode_psd(layers, colours))
    assert found.depth == 8 * colours.itemsize
    photo, other = found
    assert (photo.name, photo.visible, photo.has_mask()) == ("photo", False, True)
    assert (len(other.name), other.visible, other.has_mask()) == (255, True, False)
    assert np.allclose(pixels(photo), IMAGE / 255, atol=1e-6)
    assert photo.mask is not None
    assert np.abs(np.asarray(photo.mask.topil(), np.float32) - 255 * ALPHA).max() <= 1
    assert np.allclose(pixels(found), IMAGE / 255, atol=1e-6)


def test_the_profile_goes_along() -> None:
    found = opened(encode_psd([PsdLayer("a", IMAGE, ALPHA)], IMAGE, display_p3(), b"odd"))
    assert found.image_resources.get_data(1039) == display_p3()


def test_what_is_too_large_is_refused() -> None:
    wide = Image(np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (1, 30_001, 3)))
    with pytest.raises(OutputError, match=r"too large for \.psd"):
        encode_psd([PsdLayer("a", wide, Alpha(np.zeros((1, 1), np.float32)))], wide)
