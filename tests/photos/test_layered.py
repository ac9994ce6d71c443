import io
from pathlib import Path

import numpy as np
import OpenEXR
import psd_tools
import pytest

from matte.compositing.backgrounds import parse_background
from matte.compositing.canvas import Canvas
from matte.compositing.light import to_light
from matte.media.pictures import Photo
from matte.photos.finishing import FinishOptions, PhotoFinisher
from matte.photos.layered import encode_layers
from matte.photos.outputs import PhotoOutputs
from matte.stages import Matte
from tests.conftest import disc

IMAGE, ALPHA = disc(40, 50)
PHOTO, MATTE = Photo(IMAGE), Matte(ALPHA, IMAGE, None, None, {})


def psd(finish: FinishOptions) -> psd_tools.PSDImage:
    data = encode_layers(PhotoFinisher(finish).layers(PHOTO, MATTE), PHOTO, ".psd")
    return psd_tools.PSDImage.open(io.BytesIO(data))


def test_an_editor_gets_photo_and_subject_with_their_mask() -> None:
    found = psd(FinishOptions())
    assert [(layer.name, layer.visible) for layer in found] == [("photo", False), ("subject", True)]
    assert all(layer.has_mask() for layer in found)
    assert np.asarray(found.numpy("color"))[0, 0].tolist() == [1, 1, 1]


def test_the_background_is_a_layer_below() -> None:
    found = psd(FinishOptions(parse_background("#336699")))
    assert found[0].name == "background"
    assert np.allclose(np.asarray(found[0].numpy("color"))[3, 4], [0.2, 0.4, 0.6])
    assert np.allclose(np.asarray(found.numpy("color"))[0, 0], [0.2, 0.4, 0.6])


def test_a_canvas_has_its_own_size() -> None:
    assert psd(FinishOptions(canvas=Canvas(64, 48))).size == (64, 48)


@pytest.mark.parametrize("ground", ["transparent", "#808080"])
def test_compositing_programs_get_light(ground: str, tmp_path: Path) -> None:
    finisher = PhotoFinisher(FinishOptions(parse_background(ground)))
    written = PhotoOutputs(tmp_path / "a.exr").write(PHOTO, MATTE, finisher, overwrite=False)
    channels = OpenEXR.File(str(written.paths[0])).channels()
    np.testing.assert_allclose(channels["RGBA"].pixels[:, :, 3], ALPHA, atol=1e-3)
    light = to_light(IMAGE) * ALPHA[:, :, None]
    np.testing.assert_allclose(channels["RGBA"].pixels[:, :, :3], light, atol=1e-3)
    np.testing.assert_allclose(channels["foreground.RGB"].pixels, to_light(IMAGE), atol=1e-3)
    assert ("background.RGB" in channels) == (ground != "transparent")
