from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from matte.arrays import Image
from matte.clips.linear_frames import linear_colours, linear_cutout
from matte.clips.output_files import VideoFiles
from matte.clips.outputs import VideoWriters, clip_for_files
from matte.clips.render import RenderJob
from matte.compositing.backgrounds import parse_background
from matte.configs.loader import merge_settings
from matte.errors import SettingError
from matte.media.video.clip import open_clip
from matte.media.video.hdr import HLG, PQ, HdrLight
from tests.clips.matted import frames
from tests.fakes import build
from tests.gpu.shapes import subject_frame
from tests.media.clips import clip
from tests.media.video.hdr_clips import hdr_clip


def test_light_is_linear() -> None:
    values = np.array([[[0, 188, 255]]], np.uint8)
    np.testing.assert_allclose(linear_colours(values, None)[0, 0], [0, 0.503, 1], atol=1e-3)
    deep = values.astype(np.uint16) * 257
    np.testing.assert_allclose(linear_colours(deep, None)[0, 0], [0, 0.503, 1], atol=1e-3)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_is_brighter_than_white_and_may_be_outside_of_bt709(transfer: int) -> None:
    light = HdrLight(transfer)
    grey = Image(np.array([[[188] * 3, [255] * 3]], np.uint8))
    found = linear_colours(light.from_sdr(grey), light)
    np.testing.assert_allclose(found[0, :, 1], [0.503, 1], atol=3e-3)
    extreme = Image(np.array([[[65535] * 3, [0, 65535, 0]]], np.uint16))
    found = linear_colours(extreme, light)
    assert found[0, 0].min() > 4
    assert found[0, 1, 0] < -0.1


def test_cut_outs_are_premultiplied(tmp_path: Path) -> None:
    frame = frames(open_clip(clip(tmp_path / "a.mp4", (0,))))[0]
    half = replace(frame, alpha=np.full_like(frame.alpha, 0.5))
    found = linear_cutout(half, None)
    assert found.shape == (48, 64, 4)
    assert (found[:, :, 3] == 0.5).all()
    np.testing.assert_allclose(found[:, :, :3], linear_colours(frame.foreground, None) / 2)


def channels(path: Path) -> dict[str, np.ndarray]:
    found = OpenEXR.File(str(path)).channels()
    return {name: np.asarray(channel.pixels) for name, channel in found.items()}


@pytest.mark.parametrize("transparent", [True, False])
def test_files_have_what_frames_have(tmp_path: Path, transparent: bool) -> None:
    found = open_clip(clip(tmp_path / "in.mp4", (0, 1001, 2002)))
    files = VideoFiles(
        tmp_path / "o%02d.exr", tmp_path / "a%02d.exr", tmp_path / "f%02d.exr", transparent
    )
    given = frames(found, 0, transparent)
    with VideoWriters(files, found) as writers:
        for frame in given:
            writers.write(frame)
    for number, frame in enumerate(given, 1):
        composite, alpha, foreground = (
            channels(tmp_path / f"{name}{number:02d}.exr") for name in "oaf"
        )
        wanted = linear_colours(frame.foreground, None)
        np.testing.assert_allclose(foreground["RGB"], wanted, atol=1e-3)
        np.testing.assert_allclose(alpha["Y"], frame.alpha, atol=1e-3)
        if transparent:
            np.testing.assert_allclose(composite["RGBA"], linear_cutout(frame, None), atol=1e-3)
        else:
            shown = linear_colours(frame.composite, None)
            np.testing.assert_allclose(composite["RGB"], shown, atol=1e-3)


@pytest.mark.parametrize("kind", ["pq", "hlg"])
def test_hdr_clips_keep_their_light(tmp_path: Path, kind: str) -> None:
    picture = subject_frame(96, 128)
    source = hdr_clip(tmp_path / "in.mp4", kind, [picture] * 2)
    files = VideoFiles(tmp_path / "o%d.exr", transparent=True)
    found = clip_for_files(open_clip(source), files, "keep")
    assert found.light is not None
    RenderJob(found, files, parse_background("transparent")).render(build(merge_settings("fast")))
    colours = channels(tmp_path / "o1.exr")["RGBA"].astype(np.float32)
    inside = colours[:, :, 3] == 1
    assert inside.mean() > 0.05
    wanted = linear_colours(picture, None)[inside]
    assert np.abs(colours[inside][:, :3] - wanted).mean() < 0.03


def test_they_are_premultiplied_in_any_case(tmp_path: Path) -> None:
    found = open_clip(clip(tmp_path / "in.mp4", (0,)))
    files = VideoFiles(tmp_path / "o%d.exr", transparent=True)
    with pytest.raises(SettingError, match=r"means nothing in \.exr"):
        RenderJob(found, files, parse_background("transparent"), premultiply=True)
    with pytest.raises(SettingError, match="neither codec nor quality"):
        VideoWriters(replace(files, crf=3), found)
