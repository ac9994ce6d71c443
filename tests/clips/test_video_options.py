from pathlib import Path
from typing import Any

import pytest

from matte.clips.video_options import VideoOptions, given_options, plan_video
from matte.compositing.backgrounds import FilmFile
from matte.errors import SettingError
from tests.media.clips import clip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crff": 20}, "no option 'crff': did you mean 'crf'?"),
        ({"overwritee": True}, "no option 'overwritee': did you mean 'overwrite'?"),
        ({"bg": "white"}, "no option 'bg': did you mean 'background' or 'background_end'?"),
        ({"k": 5}, "no option 'k': give it to the pipeline: matte.video(…, pipeline=matte.load(k="),
        ({"preset": "fast"}, "no option 'preset': give it to the pipeline"),
        ({"crf": "low"}, "crf = 'low': give a whole number"),
        ({"start": "0:01"}, "start = '0:01': give a number"),
        ({"hdr": "kep"}, "hdr = 'kep': did you mean 'keep'?"),
        ({"despill": "gren"}, "despill = 'gren': did you mean 'green'?"),
        ({"background_end": "lop"}, "background_end = 'lop': did you mean 'loop'?"),
        ({"alpha": 3}, "alpha = 3: give text or a path"),
        ({"fps_target": 0}, "fps_target = 0.0: give a number above 0"),
        ({"fps_target": float("nan")}, "fps_target = nan: give a number above 0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_mistakes_are_named_with_what_was_meant(options: Any, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        given_options(options)
    assert str(caught.value).startswith(message)


def test_what_is_none_is_not_given() -> None:
    options: Any = {"end": None, "garbage_matte": None, "start": 1, "subject": ["1", "2@3"]}
    assert given_options(options) == {"start": 1.0, "subject": ["1", "2@3"]}


def test_options_become_a_job(tmp_path: Path) -> None:
    source = clip(tmp_path / "talk.mp4")
    options: VideoOptions = {"background_end": "hold", "end": 0.1, "garbage_matte": "mask.png"}
    job = plan_video(source, 10**6, None, str(tmp_path / "beach.mp4"), True, options)
    assert job.background == FilmFile(tmp_path / "beach.mp4")
    assert (job.film_end, job.start, job.end) == ("hold", 0, 0.1)
    assert job.files.composite == tmp_path / "talk-matte.mp4"
    assert job.files.overwrite
    assert job.passes.garbage_matte == Path("mask.png")


def test_a_background_of_a_video_may_be_one(tmp_path: Path) -> None:
    source = clip(tmp_path / "talk.mp4")
    with pytest.raises(SettingError, match="give a picture or video, 'blur'"):
        plan_video(source, 10**6, None, "meadow", False, {})
