"""One photo's files: which there are, and that all are encoded before one is written."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Alpha
from matte.configs.lengths import parse_length
from matte.errors import MatteWarning, OutputError
from matte.files import STREAM
from matte.media.pictures import Photo, read_alpha, read_image
from matte.photos.finishing import FinishOptions, PhotoFinisher
from matte.photos.locations import on_disk
from matte.photos.outputs import PhotoOutputs
from matte.stages import Matte
from tests.conftest import disc

IMAGE, ALPHA = disc(40, 50)
MATTE = Matte(ALPHA, IMAGE, None, None, {})


def test_all_files_are_cropped_alike(tmp_path: Path) -> None:
    outputs = PhotoOutputs(
        tmp_path / "o.png", alpha=tmp_path / "a.tif", foreground=tmp_path / "f.png"
    )
    finisher = PhotoFinisher(FinishOptions(crop=parse_length("0")))
    written = outputs.write(Photo(IMAGE), MATTE, finisher, overwrite=False)
    assert [path.name for path in written.paths] == ["a.tif", "f.png", "o.png"]
    size = read_image(tmp_path / "f.png").shape[:2]
    assert size == read_alpha(tmp_path / "a.tif").shape
    assert size[0] < 40


def test_a_stage_that_a_run_has_not_is_said(tmp_path: Path) -> None:
    outputs = PhotoOutputs(tmp_path / "o.png", mask=tmp_path / "m.png")
    with pytest.warns(MatteWarning, match=r"m\.png is not written: there is none"):
        outputs.write(Photo(IMAGE), MATTE, PhotoFinisher(FinishOptions()), overwrite=False)
    assert not (tmp_path / "m.png").exists()


def test_nothing_is_written_if_one_can_not_be(tmp_path: Path) -> None:
    outputs = PhotoOutputs(tmp_path / "o.png", alpha=tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        outputs.write(Photo(IMAGE), MATTE, PhotoFinisher(FinishOptions()), overwrite=False)
    assert not (tmp_path / "o.png").exists()
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_endings_are_checked_before() -> None:
    outputs = PhotoOutputs(STREAM, ending=".jpg")
    with pytest.raises(OutputError, match=r"\.jpg can't hold transparency"):
        list(outputs.paths(transparent=True))
    assert list(outputs.paths(transparent=False)) == []


def test_a_subject_that_fills_nothing_is_written_whole(tmp_path: Path) -> None:
    nothing = Matte(Alpha(np.zeros((40, 50), np.float32)), IMAGE, None, None, {})
    finisher = PhotoFinisher(FinishOptions(crop=parse_length("5%")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PhotoOutputs(tmp_path / "o.png").write(Photo(IMAGE), nothing, finisher, overwrite=False)
    assert read_image(tmp_path / "o.png").shape[:2] == (40, 50)


def test_what_is_made_from_a_private_photo_is_private(tmp_path: Path) -> None:
    (tmp_path / "in.png").touch(mode=0o600)
    outputs = PhotoOutputs(tmp_path / "o.png", alpha=tmp_path / "a.png")
    finisher = PhotoFinisher(FinishOptions())
    for overwrite in (False, True):
        written = outputs.write(
            Photo(IMAGE), MATTE, finisher, overwrite, [tmp_path / "in.png"]
        ).paths
        assert {on_disk(path).stat().st_mode & 0o777 for path in written} == {0o600}
        for path in written:
            on_disk(path).chmod(0o644)  # as one that was made before the photo was private
