"""HDR clips from file to file: matted in SDR, composed in their own light, written as they were."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Image
from matte.clips.output_files import VideoFiles
from matte.clips.outputs import clip_for_files
from matte.clips.render import RenderJob
from matte.compositing.backgrounds import parse_background
from matte.configs.loader import merge_settings
from matte.errors import MatteWarning
from matte.media.video.clip import Clip, open_clip
from matte.media.video.facts import ColourTags
from matte.media.video.hdr import BT709_TAGS, HdrMode
from tests.fakes import build
from tests.gpu.shapes import subject_frame
from tests.media.video.hdr_clips import DISPLAY, LIGHT, hdr_clip

HEIGHT, WIDTH = 96, 128
CORNER, MIDDLE = (3, 3), (HEIGHT // 2, WIDTH // 2)


@pytest.fixture(params=["pq", "hlg"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(tmp_path: Path, kind: str) -> Path:
    return hdr_clip(tmp_path / "in.mp4", kind, [subject_frame(HEIGHT, WIDTH)] * 3)


def render(
    source: Path, files: VideoFiles, ground: str = "white", hdr: HdrMode = "keep", **flags: str
) -> None:
    clip = clip_for_files(open_clip(source), files, hdr)
    RenderJob(clip, files, parse_background(ground)).render(
        build(merge_settings("fast", flags=flags))
    )


def pixels(path: Path) -> tuple[Clip, Image]:
    clip = open_clip(path)
    first = next(clip.frames())
    assert first.pixels is not None
    return clip, first.pixels


def test_light_is_kept(tmp_path: Path, source: Path, kind: str) -> None:
    files = VideoFiles(tmp_path / "o.mp4", tmp_path / "a.mp4", tmp_path / "f.mp4")
    render(source, files)
    clip, found = pixels(tmp_path / "o.mp4")
    light = LIGHT[kind]
    assert clip.light == light
    assert clip.facts.colours == ColourTags(1, 9, 9, light.transfer)
    assert clip.facts.light_parameters == (DISPLAY if kind == "pq" else "")
    white = light.from_sdr(Image(np.full((1, 1, 3), 255, np.uint8)))[0, 0]
    assert np.abs(found[CORNER].astype(int) - white).max() <= 65535 * 0.01, "not above SDR's white"
    before = pixels(source)[1][MIDDLE]
    assert np.abs(found[MIDDLE].astype(int) - before).max() <= 65535 * 0.02
    assert pixels(tmp_path / "f.mp4")[0].light == light
    alpha, values = pixels(tmp_path / "a.mp4")
    assert alpha.light is None
    assert values[MIDDLE].min() >= 250
    assert values[CORNER].max() <= 5


@pytest.mark.parametrize("ground", ["white", "blur"])
def test_light_is_mixed_as_light(tmp_path: Path, source: Path, kind: str, ground: str) -> None:
    render(source, VideoFiles(tmp_path / "o.mp4"), ground, blend="linear")
    clip, found = pixels(tmp_path / "o.mp4")
    assert clip.light == LIGHT[kind]
    assert found[MIDDLE].min() > found[CORNER].max() or ground == "white"
    background = pixels(source)[1][CORNER].astype(int)
    if ground == "blur":
        assert np.abs(found[CORNER].astype(int) - background).max() <= 65535 * 0.05


def test_it_is_tone_mapped_where_that_is_asked(tmp_path: Path, source: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(source, VideoFiles(tmp_path / "o.mp4"), hdr="sdr")
    clip, found = pixels(tmp_path / "o.mp4")
    assert clip.facts.colours == BT709_TAGS
    assert clip.facts.codec == "h264"
    assert found[CORNER].min() >= 254
    expected = subject_frame(HEIGHT, WIDTH)[MIDDLE]
    assert np.abs(found[MIDDLE].astype(int) - expected).max() <= 40  # highlights are rolled off


@pytest.mark.parametrize("name", ["o.webm", "pictures", "o.gif"])
def test_a_file_that_can_not_hold_it_gets_sdr_and_says_so(
    tmp_path: Path, source: Path, kind: str, name: str
) -> None:
    with pytest.warns(MatteWarning, match=f"{name} can't hold {kind.upper()}: it is tone-mapped"):
        render(source, VideoFiles(tmp_path / name, codec="vp9" if name == "o.webm" else None))
    if name == "o.webm":
        clip, found = pixels(tmp_path / name)
        assert clip.light is None
        assert found[CORNER].min() >= 250


def test_one_of_two_files_that_can_not_hold_it(tmp_path: Path, source: Path, kind: str) -> None:
    files = VideoFiles(tmp_path / "o.mov", foreground=tmp_path / "f.gif", transparent=True)
    with pytest.warns(MatteWarning, match="f.gif can't hold"):
        render(source, files, "transparent")
    assert pixels(tmp_path / "o.mov")[0].light == LIGHT[kind]
    assert (tmp_path / "f.gif").exists()


def test_films_behind_come_in_the_frames_light(tmp_path: Path, source: Path, kind: str) -> None:
    """An SDR film behind an HDR clip, an HDR film behind one in SDR, and HDR behind HDR."""
    grey = Image(np.full((HEIGHT, WIDTH, 3), 100, np.uint8))
    film = hdr_clip(tmp_path / "film.mp4", "pq", [grey] * 3)
    render(source, VideoFiles(tmp_path / "hdr.mp4"), str(film))
    _, found = pixels(tmp_path / "hdr.mp4")
    assert np.abs(LIGHT[kind].to_sdr(found)[CORNER].astype(int) - 100).max() <= 3
    render(source, VideoFiles(tmp_path / "sdr.mp4"), str(film), "sdr")
    _, shown = pixels(tmp_path / "sdr.mp4")
    assert np.abs(shown[CORNER].astype(int) - 100).max() <= 3
    render(source, VideoFiles(tmp_path / "both.mp4"), str(tmp_path / "sdr.mp4"))
    _, both = pixels(tmp_path / "both.mp4")
    assert np.abs(LIGHT[kind].to_sdr(both)[CORNER].astype(int) - 100).max() <= 4
