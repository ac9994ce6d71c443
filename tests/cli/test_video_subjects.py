"""`matte video` following a subject, and its passes; tests/fakes.py has the networks."""

import json
from pathlib import Path

import numpy as np
import pytest

from matte.media.video.clip import open_clip
from tests.commands import run
from tests.media.clips import CFR, clip, names

BAND = ("--width", "3")


@pytest.mark.usefixtures("fake")
def test_a_subject_is_followed_and_doubts_are_reported(tmp_path: Path) -> None:
    source, report = clip(tmp_path / "in.mp4"), tmp_path / "report.json"
    review = tmp_path / "review.png"
    words = ("video", source, "--bg", "red", "--report", report, "--review", review, *BAND)
    result = run(*words, "--subject", "at:0,40", "--subject", "all@0.5")
    assert result.exit_code == 0, result.output
    assert "Warning: 0:00.000 to 0:00." in result.stderr
    assert "nobody is where the choice says: the result is empty there" in result.stderr
    told = json.loads(report.read_text())["following"]
    assert told["choices"] == ["at:0,40", "all@0:00.500"]
    assert len(told["sureness"]) == len(CFR)
    assert told["sureness"][0] == 0
    assert result.stdout == f"{tmp_path / 'in-matte.mp4'}\n{review}\n"
    assert told["sureness"][-1] == 1
    assert told["doubtful"][0]["reason"] == "nobody is where the choice says"
    assert names(tmp_path) == ["in-matte.mp4", "in.mp4", "report.json", "review.png"]
    refused = run(*words, "--subject", "left", "--overwrite")
    assert refused.exit_code != 0
    assert "subject = 'left'" in refused.stderr
    refused = run(*words, "--subject", "largest", "--trimap-free", "--overwrite")
    assert refused.exit_code != 0
    assert "a run with a MODNet makes no mask, so --subject means nothing" in refused.stderr


@pytest.mark.usefixtures("fake")
def test_passes_take_green_light_and_regions_away(tmp_path: Path) -> None:
    source, keep = clip(tmp_path / "in.mp4"), tmp_path / "keep.json"
    keep.write_text('[[0, 0], ["50%", 0], ["50%", "100%"], [0, "100%"]]')
    alpha, foreground = tmp_path / "alpha.mkv", tmp_path / "foreground.mkv"
    words = ("video", source, "--bg", "red", "-o", tmp_path / "out.mkv", "--codec", "ffv1", "-q")
    passes = ("--despill", "green", "--garbage-matte", keep)
    result = run(*words, *passes, "--alpha", alpha, "--foreground", foreground, *BAND)
    assert result.exit_code == 0, result.output
    kept = 0.0
    for grey, colours in zip(
        open_clip(alpha).frames(), open_clip(foreground).frames(), strict=True
    ):
        assert grey.pixels is not None
        assert colours.pixels is not None
        kept += float(grey.pixels[:, :31].mean())
        assert grey.pixels[:, 33:].max() == 0
        red, green, blue = colours.pixels[grey.pixels[:, :, 0] == grey.pixels.max()].T.astype(int)
        assert (green - np.maximum(red, blue)).max(initial=0) <= 6  # FFV1 has 4:2:0
    assert kept > 0
    refused = run(*words, "--overwrite", "--garbage-matte", tmp_path / "nowhere.json")
    assert refused.exit_code != 0
    assert "can't read" in refused.stderr


@pytest.mark.usefixtures("fake")
def test_a_clip_without_the_named_screen_is_told_of(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4")
    result = run("video", source, "--bg", "red", "-q", "--screen", "green", *BAND)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("no green screen") == 1
    assert names(tmp_path) == ["in-matte.mp4", "in.mp4"]


@pytest.mark.usefixtures("fake")
def test_flecks_are_taken_out_by_a_setting(tmp_path: Path) -> None:
    source, report = clip(tmp_path / "in.mp4"), tmp_path / "report.json"
    words = ("video", source, "--bg", "red", "-q", "--report", report, *BAND)
    result = run(*words, "--despeckle", "2")
    assert result.exit_code == 0, result.output
    told = json.loads(report.read_text())
    assert told["settings"]["despeckle"] == 2
    assert told["frames"] == len(CFR)
    refused = run(*words, "--overwrite", "--despeckle", "0")
    assert refused.exit_code != 0
    assert "give 1 … 25, or off" in refused.stderr
