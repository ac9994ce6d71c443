import io
from pathlib import Path

import numpy as np
import OpenEXR
import psd_tools
import pytest

from matte.compositing.backgrounds import parse_background
from matte.compositing.canvas import Canvas, parse_shadow
from matte.imaging.light import to_light
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


@pytest.mark.parametrize("ground", ["transparent", "#c0d0e0"])
@pytest.mark.parametrize("kind", ["contact", "drop:80%"])
def test_a_shadow_is_a_layer_beneath_the_subject(kind: str, ground: str) -> None:
    canvas = Canvas(96, 80, shadow=parse_shadow(kind))
    finisher = PhotoFinisher(FinishOptions(parse_background(ground), canvas=canvas))
    found = psd(finisher.finish_options)
    names = [layer.name for layer in found]
    assert names == [*(["background"] if ground != "transparent" else []), "shadow", "subject"]
    shadow = found[-2]
    assert np.asarray(shadow.numpy("color")).max() == 0
    flat = finisher.finish(PHOTO, MATTE).picture / 255
    if ground == "transparent":  # shown over white
        flat = flat[:, :, :3] * flat[:, :, 3:] + 1 - flat[:, :, 3:]
    shown = np.asarray(found.numpy("color"))
    assert np.abs(shown - flat).max() < 2.5 / 255
    # The layers, put together by another program, are that picture too.
    together = np.asarray(found.composite(ignore_preview=True, force=True).convert("RGBA")) / 255
    alpha = together[:, :, 3:]
    assert np.abs(together[:, :, :3] * alpha + 1 - alpha - flat).max() < 3.5 / 255
    assert shown.min() < 0.9 < shown.max()


@pytest.mark.parametrize("kind", ["contact", "drop:80%"])
def test_a_shadow_in_light_is_as_dark_as_in_values(kind: str, tmp_path: Path) -> None:
    canvas = Canvas(96, 80, shadow=parse_shadow(kind))
    finisher = PhotoFinisher(FinishOptions(parse_background("white"), canvas=canvas))
    outputs = PhotoOutputs(tmp_path / "a.exr")
    written = outputs.write(PHOTO, MATTE, finisher, overwrite=False)
    assert written.facts["canvas"]["width"] == 96
    channels = OpenEXR.File(str(written.paths[0])).channels()
    shadow = channels["shadow.RGBA"].pixels.astype(np.float32)
    assert shadow[:, :, :3].max() == 0
    background = channels["background.RGB"].pixels.astype(np.float32)
    assert background.min() == 1
    behind = channels["RGBA"].pixels[:, :, 3] == 0
    flat = finisher.finish(PHOTO, MATTE).picture
    light = background * (1 - shadow[:, :, 3:])
    np.testing.assert_allclose(light[behind], to_light(flat)[behind], atol=0.006)
    assert light[behind].min() < 0.9


def test_a_file_of_layers_is_not_composed_flat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(PhotoFinisher, "finish")
    finisher = PhotoFinisher(FinishOptions(canvas=Canvas(64, 48)))
    written = PhotoOutputs(tmp_path / "a.psd").write(PHOTO, MATTE, finisher, overwrite=False)
    assert written.facts["canvas"]["height"] == 48


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
