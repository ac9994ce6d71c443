import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.clips.frames import MattedFrame
from matte.clips.passes import NO_PASSES, EditorPasses, PassSettings, read_garbage_matte
from matte.errors import MatteWarning, PictureError
from tests.compositing.screen_scene import scene

COLOURS = np.array([[[40, 200, 60], [230, 210, 40], [200, 160, 130], [30, 60, 200]]], np.uint8)


def test_passes_change_pictures_and_alphas_and_not_their_inputs() -> None:
    alpha = Alpha(np.ones((1, 4), np.float32))
    frame = MattedFrame(Image(COLOURS), alpha)
    assert NO_PASSES.apply(frame) is frame
    assert NO_PASSES.are_none
    keep = Alpha(np.array([[1, 0.5, 0, 1]], np.float32))
    found = EditorPasses("none", "green", keep).apply(frame)
    assert found.alpha.tolist() == [[1, 0.5, 0, 1]]
    assert found.image[0, 0, 1] == 60
    assert alpha.min() == 1
    assert COLOURS[0, 0, 1] == 200


def test_a_screen_is_keyed_and_its_light_taken() -> None:
    image, seen, truth = scene()
    found = EditorPasses("green").apply(MattedFrame(image, seen))
    assert np.abs(found.alpha - truth).mean() < np.abs(seen - truth).mean() / 10
    assert (found.image[..., 1] <= np.maximum(found.image[..., 0], found.image[..., 2])).all()
    with pytest.warns(MatteWarning, match="no blue screen"):
        other = EditorPasses("blue").apply(MattedFrame(image, seen))
    assert other.alpha is seen


def test_a_frame_without_a_screen_stays_as_it_is() -> None:
    jersey = MattedFrame(Image(COLOURS), Alpha(np.ones((1, 4), np.float32)))
    with pytest.warns(MatteWarning, match="no green screen"):
        assert EditorPasses("green").apply(jersey) is jersey


def test_settings_become_passes_of_a_size(tmp_path: Path) -> None:
    file = tmp_path / "keep.json"
    file.write_text("[[0, 0], [20, 0], [20, 20]]")
    found = PassSettings("blue", file).prepare((40, 60), "none")
    assert found.despill == "blue"
    assert found.change_colours
    assert found.garbage_matte is not None
    assert found.garbage_matte.shape == (40, 60)
    assert not PassSettings(garbage_matte=file).prepare((4, 6), "none").change_colours
    assert PassSettings().prepare((4, 6), "none").are_none
    assert not PassSettings().prepare((4, 6), "green").are_none


def test_a_mask_of_any_size_limits_alpha(tmp_path: Path) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[:, 15:] = 255
    cv2.imwrite(str(tmp_path / "keep.png"), mask)
    found = read_garbage_matte(tmp_path / "keep.png", (40, 60))
    assert found.shape == (40, 60)
    assert found[:, :28].max() == 0
    assert found[:, 32:].min() == 1


def test_polygons_are_kept_inside(tmp_path: Path) -> None:
    file = tmp_path / "keep.json"
    file.write_text(json.dumps([[10, 5], ["50%", 5], ["50%", "50%"], [10, "50%"]]))
    found = read_garbage_matte(file, (40, 60))
    assert found[5:20, 10:30].min() > 0.5
    assert found.sum() == pytest.approx(15 * 20, rel=0.05)
    triangle = [[40, 30], [55, 30], [55, 39]]
    file.write_text(json.dumps([triangle, [[0, 0], [5, 0], [5, 5]]]))
    found = read_garbage_matte(file, (40, 60))
    assert found[32, 53] == found[1, 4] == 1
    assert found[20, 20] == 0


@pytest.mark.parametrize("text", ["{", "{}", "[]", "[[1, 2]]", "[[1], [2], [3]]", '[["x", 1]]'])
def test_what_is_no_polygon_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keep.json"
    file.write_text(text)
    with pytest.raises(PictureError, match=r"keep\.json"):
        read_garbage_matte(file, (40, 60))
    with pytest.raises(PictureError, match=r"can't read"):
        read_garbage_matte(tmp_path / "nowhere.json", (40, 60))
