"""The public calls, as their own examples show them."""

import doctest
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import av
import cv2
import numpy as np
import pytest

import matte
from matte import api
from matte.arrays import Alpha
from matte.compositing.foreground import estimate_foreground
from matte.errors import MatteError, PictureError, SettingError
from matte.media.pictures import read_image
from matte.media.video.clip import open_clip
from matte.media.video.hdr import HdrMode
from tests.fakes import BrightIsSubject
from tests.media.clips import clip
from tests.media.video.hdr_clips import grey_picture, hdr_clip

EXAMPLES = doctest.DocTestFinder(recurse=True).find(api, "matte.api")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Path) -> Path:
    """A folder with the files that the examples name, as the current one."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(sample, "portrait.jpg")
    clip(tmp_path / "talk.mp4")
    for name in ("beach.jpg", "office.jpg"):
        cv2.imwrite(name, np.full((90, 120, 3), (200, 140, 60), np.uint8))
    return tmp_path


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.examples], ids=lambda example: str(example.name)
)
@pytest.mark.filterwarnings("ignore::matte.MatteWarning")
def test_examples_run_as_written(example: doctest.DocTest, folder: Path) -> None:
    example.globs = {"matte": matte, "PosixPath": type(Path())}
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert result.failed == 0


def test_every_public_call_has_an_example() -> None:
    shown = {example.name.rpartition(".")[2] for example in EXAMPLES if example.examples}
    assert set(api.__all__) <= shown


def test_a_photos_file_is_composed_with_its_subjects_own_colours(folder: Path) -> None:
    image = read_image(folder / "portrait.jpg")
    alpha = Alpha(BrightIsSubject().segment(image).confidence * np.float32(0.5))
    expected = matte.composite(estimate_foreground(image, alpha), alpha, "white")
    for photo in ("portrait.jpg", folder / "portrait.jpg", (folder / "portrait.jpg").read_bytes()):
        assert np.array_equal(matte.composite(photo, alpha, "white"), expected)
    assert matte.composite("portrait.jpg", alpha, "transparent").shape == (*alpha.shape, 4)
    behind = matte.composite(image, alpha, "beach.jpg")
    assert np.array_equal(behind, matte.composite(image, alpha, read_image(folder / "beach.jpg")))


def test_alpha_of_another_size_is_refused(folder: Path) -> None:
    with pytest.raises(PictureError, match="give both at one size"):
        matte.composite("portrait.jpg", np.ones((3, 4), np.float32), "white")


def test_a_video_reports_its_frames(folder: Path) -> None:
    pipeline = matte.load("fast", modnet="modnet")
    counts: list[int] = []
    result = matte.video(
        "talk.mp4", pipeline=pipeline, alpha="alpha.mp4", end=0.1, progress=counts.append
    )
    assert result.written == (Path("talk-matte.mov"), Path("alpha.mp4"))
    assert counts == list(range(1, result.frames + 1))


def test_a_video_is_encoded_as_asked(folder: Path) -> None:
    pipeline = matte.load("fast", modnet="modnet")
    result = matte.video(
        "talk.mp4",
        "out.mkv",
        background="white",
        pipeline=pipeline,
        codec="vp9",
        crf=40,
        start=0.1,
        end=0.2,
        background_end="hold",
    )
    with av.open("out.mkv") as film:
        assert film.streams.video[0].codec_context.name.endswith("vp9")
    assert result.frames < 5


def test_a_rate_may_be_asked_for(folder: Path) -> None:
    result = matte.video("talk.mp4", "out.mp4", background="white", fps_target=0.01, end=0.1)
    assert result.frames == 3


def test_what_a_video_can_not_do_is_said_before_a_network_is_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "build_for_video", None)
    with pytest.raises(MatteError, match=r"talk\.txt"):
        matte.video("talk.mp4", "talk.txt")
    with pytest.raises(SettingError, match="no option 'quality': choose from alpha, background"):
        matte.video("talk.mp4", quality=3)  # type: ignore[call-arg]  # what is tested
    with pytest.raises(SettingError, match=r"pipeline = 'fast': give one that matte\.load"):
        matte.video("talk.mp4", pipeline="fast")  # type: ignore[arg-type]  # what is tested
    with pytest.raises(SettingError, match=r"^output = 3: give a path$"):
        matte.video("talk.mp4", 3)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(PictureError, match=r"^a value of type list is no video: give a path$"):
        matte.video(["talk.mp4"])  # type: ignore[arg-type]  # what is tested
    with pytest.raises(SettingError, match=r"https:// is on the web: .* give the video"):
        matte.video("https://host/talk.mp4")


def test_an_hdr_video_comes_in_the_light_that_is_asked(folder: Path) -> None:
    source = hdr_clip(Path("hdr.mp4"), "hlg", [grey_picture(160)] * 3)
    pipeline = matte.load("fast", modnet="modnet")
    modes: tuple[HdrMode, ...] = get_args(HdrMode)
    kinds = {hdr: next(pipeline.video(source, hdr=hdr)).image.dtype for hdr in modes}
    assert kinds == {"keep": np.uint16, "sdr": np.uint8}
    matte.video(source, "sdr.mp4", background="white", pipeline=pipeline, hdr="sdr")
    assert open_clip(Path("sdr.mp4")).light is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "fasst"}, "no preset 'fasst': did you mean 'fast'?"),
        (
            {"preset": "mine.toml"},
            "no preset 'mine.toml': give the settings of a file by their name",
        ),
        (
            {"config": "mine.toml"},
            "no setting 'config': give the settings of a file by their names",
        ),
        ({"prest": "fast"}, "no setting 'prest': did you mean 'preset'?"),
        ({"refinr": "gca"}, "no setting 'refinr': did you mean 'refiner' or 'video_refiner'?"),
        ({"background": "white"}, "no setting 'background': give it where a result is made"),
        ({"mask": "m.png"}, "no setting 'mask': give it with the picture: matte.load()("),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_mistakes_in_what_is_loaded_are_named(settings: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError) as caught:
        matte.load(**settings)
    assert str(caught.value).startswith(message)


def test_mistakes_in_how_a_video_is_matted_are_named(folder: Path) -> None:
    pipeline = matte.load("fast", modnet="modnet")
    wrong: dict[str, dict[str, Any]] = {
        "hdr = 'srd': did you mean 'sdr'?": {"hdr": "srd"},
        "start = '0:01': give a number": {"start": "0:01"},
        "end = '1s': give a number": {"end": "1s"},
        "background = (0, 0, 0): give a file's name": {"background": (0, 0, 0)},
        "subject = 2: give text": {"subject": 2},
    }
    for message, options in wrong.items():
        with pytest.raises(SettingError) as caught:
            next(pipeline.video("talk.mp4", **options))
        assert str(caught.value).startswith(message)
    assert next(pipeline.video("talk.mp4", background=Path("beach.jpg"))).composite.ndim == 3


def test_a_sweep_takes_one_value_for_several(folder: Path) -> None:
    names = [score.name for score in matte.sweep("portrait.jpg", k="auto", width="1%").scores]
    assert names == ["k = auto", "width = 1%"]
    with pytest.raises(SettingError, match=r"bands = \[3, 7\]: give kernels by name: k="):
        matte.sweep("portrait.jpg", [3, 7])  # type: ignore[list-item]  # what is tested


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bands": 5}, r"^bands = 5: give kernels by name: k="),
        ({"width": 2}, r"^width = 2: give pixels, or a percentage such as 3%, as text$"),
        ({"k": 3.5}, r"^k = 3\.5: give a whole number"),
        ({"line": "fast"}, r"^a line of type str: give one of matte\.pipeline\.build\."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_mistakes_in_a_sweep_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        matte.sweep(np.zeros((8, 8, 3), np.uint8), **arguments)


def test_a_misspelt_call_is_answered_with_the_near_one() -> None:
    code = [sys.executable, "-c", "import matte; matte.vidoe"]
    run = subprocess.run(code, capture_output=True, text=True, check=False)
    assert "has no attribute 'vidoe'. Did you mean: 'video'?" in run.stderr


def test_errors_name_arguments_and_no_options_of_the_command_line(folder: Path) -> None:
    pipeline = matte.load("fast", modnet="modnet")
    Path("there.mp4").touch()
    wrong: dict[str, Callable[[], object]] = {
        "add overwrite=True$": lambda: matte.video("talk.mp4", "there.mp4", background="red"),
        "give crf or bitrate$": lambda: matte.video(
            "talk.mp4", "a.mp4", background="red", crf=3, bitrate="1M", pipeline=pipeline
        ),
        "or give a background$": lambda: matte.video("talk.mp4", "a.mp4", pipeline=pipeline),
        "^subject='1' and 2 begin": lambda: next(pipeline.video("talk.mp4", subject=["1", "2"])),
        "or use device='cpu'$": lambda: matte.load(device="gpu:77"),
        "raise max_pixels or": lambda: matte.load("fast", max_pixels=1000)("portrait.jpg"),
        "^fit = 'covr': did": lambda: matte.composite(
            "portrait.jpg",
            np.ones((512, 512), np.float32),
            "red",
            fit="covr",  # type: ignore[arg-type]  # what is tested
        ),
    }
    for message, call in wrong.items():
        with pytest.raises(MatteError, match=message) as caught:
            call()
        assert "--" not in str(caught.value)


def test_warnings_name_arguments_where_the_call_stands(folder: Path) -> None:
    pipeline = matte.load("fast", segmenter="person-light", fallback="none")
    with pytest.warns(matte.MatteWarning, match="a rough mask as mask, a lower threshold") as found:
        pipeline(np.zeros((64, 64, 3), np.uint8))
    assert [Path(each.filename) for each in found] == [Path(__file__)]
    assert "--" not in str(found[0].message)
