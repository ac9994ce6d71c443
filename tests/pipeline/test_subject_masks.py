"""Rough masks of whom to keep."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Image
from matte.configs.loader import merge_settings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.media.photo_inputs import as_photo
from matte.pipeline.line import NO_CHOSEN_SUBJECT, Prior
from matte.pipeline.steps import cut_subject
from matte.pipeline.subject_masks import mask_path, mask_place, read_subject_mask
from tests.conftest import save
from tests.fakes import BrightIsSubject, build

TWO = np.zeros((60, 100, 3), np.uint8)
TWO[10:50, 10:40] = TWO[10:50, 60:90] = 255
IMAGE = Image(TWO)
LEFT = np.zeros((60, 100), np.uint8)
LEFT[20:30, 5:45] = 255
FLAGS = {"k": 3, "iterations": 1}


def test_the_file_chooses_in_a_pipeline_s_settings(tmp_path: Path) -> None:
    path = save(tmp_path / "rough.png", LEFT)
    result = build(merge_settings("fast", flags={**FLAGS, "subject": f"mask:{path}"}))(IMAGE)
    assert result.alpha[30, 25] == 1
    assert not result.alpha[:, 50:].any()
    assert result.report["subject_mask"]["file"] == str(path)
    assert result.report["settings"]["subject"] == f"mask:{path}"


@pytest.mark.parametrize("words", ["largest", "2", "at:30%,50%"])
def test_a_choice_is_no_mask(words: str) -> None:
    pipeline = build(merge_settings("fast", flags=FLAGS))
    with pytest.raises(SettingError, match=rf"'{words}' is no mask .*matte\.load\(subject="):
        pipeline.prior(as_photo(IMAGE), subject=words)


def test_an_array_chooses_for_one_picture() -> None:
    pipeline = build(merge_settings("fast", flags={**FLAGS, "subject": "largest"}))
    alpha = pipeline(IMAGE, subject=LEFT[:, ::-1]).alpha
    assert alpha[30, 75] == 1
    assert not alpha[:, :50].any()


def test_a_mask_of_half_the_size_is_scaled_and_that_is_said(tmp_path: Path) -> None:
    path = save(tmp_path / "small.png", np.ascontiguousarray(LEFT[::2, ::2]))
    pipeline = build(merge_settings("fast", flags={**FLAGS, "subject": f"mask:{path}"}))
    with pytest.warns(MatteWarning, match=r"small\.png is 50×30, the picture 100×60: it is scaled"):
        result = pipeline(IMAGE)
    assert result.report["subject_mask"]["scaled from"] == [50, 30]
    assert result.alpha[30, 25] == 1
    assert not result.alpha[:, 50:].any()


@pytest.mark.parametrize("size", [(1, 2), (3, 5), (59, 99), (601, 998)])
def test_rounded_proportions_are_the_picture_s(size: tuple[int, int]) -> None:
    assert read_subject_mask(np.ones(size), IMAGE.shape).region.all()


@pytest.mark.parametrize("size", [(60, 60), (100, 60), (60, 104)])
def test_a_mask_of_another_shape_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match="another shape: give a mask of the whole picture"):
        read_subject_mask(np.ones(size), IMAGE.shape)


def test_a_mask_that_marks_nothing_is_refused() -> None:
    with pytest.raises(PictureError, match="the mask of the subject marks nothing: paint white"):
        read_subject_mask(np.full((60, 100), 127, np.uint8), IMAGE.shape)


def test_a_mask_on_nobody_finds_nobody_and_modnet_is_not_asked(tmp_path: Path) -> None:
    between = np.zeros((60, 100), np.uint8)
    between[:, 45:55] = 255
    pipeline = build(merge_settings("fast", flags=FLAGS))
    with pytest.warns(MatteWarning, match=f"the picture: {NO_CHOSEN_SUBJECT}: alpha is 0"):
        result = pipeline(IMAGE, subject=between)
    assert not result.alpha.any()
    assert "fallback" not in result.report


def test_a_place_without_anybody_is_an_answer_too() -> None:
    pipeline = build(merge_settings("fast", flags={**FLAGS, "subject": "at:50,2"}))
    with pytest.warns(MatteWarning, match=NO_CHOSEN_SUBJECT):
        assert not pipeline(IMAGE).alpha.any()


def test_masks_lie_in_a_folder_by_the_pictures_names(tmp_path: Path) -> None:
    for name in ("cat.png", "dog.jpg.png", "dog.tif", "cow.png", "cow.npy"):
        (tmp_path / name).write_bytes(b"")
    assert mask_path(tmp_path, "pictures/cat.jpg") == tmp_path / "cat.png"
    assert mask_path(tmp_path, "dog.jpg") == tmp_path / "dog.jpg.png"
    assert mask_path(tmp_path, "dog.webp") == tmp_path / "dog.tif"
    with pytest.raises(PictureError, match=r"no mask of a/owl\.jpg in .*: call it owl\.png"):
        mask_path(tmp_path, "a/owl.jpg")
    with pytest.raises(PictureError, match=r"cow\.png and cow\.npy are both masks of cow\.jpg"):
        mask_path(tmp_path, "cow.jpg")
    with pytest.raises(PictureError, match="the picture has no name: name one mask"):
        mask_path(tmp_path, "")
    assert mask_path(tmp_path / "cat.png", "dog.jpg") == tmp_path / "cat.png"


def test_other_choices_name_no_file() -> None:
    assert mask_place(None) is mask_place("largest") is None
    assert mask_place("mask:a:b.png") == Path("a:b.png")


def test_who_has_no_photo_s_file_says_so() -> None:
    settings = merge_settings("fast", flags={"subject": "mask:a.png"}).config.segmentation
    found = BrightIsSubject().segment(IMAGE)
    with pytest.raises(SettingError, match=r"subject = mask:… can't be had here"):
        cut_subject(found, settings)
    mask = cut_subject(found, replace(settings, subject=None), LEFT > 0).mask
    assert mask[30, 25] == 255
    assert not mask[:, 50:].any()


def test_a_segmentation_of_the_chosen_ones_is_not_cut_again() -> None:
    pipeline = build(merge_settings("fast", flags={**FLAGS, "subject": "at:0,0"}))
    found = BrightIsSubject().segment(IMAGE)
    prior = Prior(found, from_segmenter=True, is_chosen=True)
    alpha = pipeline.line.run(IMAGE, prior).alpha
    assert alpha[30, 25] == alpha[30, 75] == 1
    nobody = Prior(BrightIsSubject().segment(Image(TWO * 0)), from_segmenter=True, is_chosen=True)
    assert pipeline.line.run(IMAGE, nobody).doubt == NO_CHOSEN_SUBJECT
