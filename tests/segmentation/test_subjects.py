import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Confidence
from matte.configs.settings import SegmentationSettings
from matte.errors import SettingError
from matte.segmentation.subjects import parse_subject, select_subjects


def row(text: str) -> Confidence:
    """A confidence of three rows: 0 at a dot, tenths at a digit, 1 at a #."""
    values = [1.0 if c == "#" else 0.0 if c == "." else int(c) / 10 for c in text]
    return Confidence(np.tile(np.array(values, np.float32), (3, 1)))


def shown(confidence: Confidence) -> str:
    """Returns the confidence's middle row as `row` takes it."""
    return "".join(
        "#" if c == 1 else "." if c == 0 else str(round(10 * c)) for c in confidence[1].tolist()
    )


def chosen(text: str, choice: str) -> str:
    return shown(select_subjects(row(text), 0.5, parse_subject(choice)))


TWO = ".2##3....3####2."


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("largest", ".........3####2."),
        ("1", ".........3####2."),
        ("2", TWO),
        ("9", TWO),
        ("at:2,1", ".2##3..........."),
        ("at:20%,50%", ".2##3..........."),
        ("at:12.5,1", ".........3####2."),
        ("centre", ".........3####2."),
        ("center", ".........3####2."),
        ("box:0,0,7,3", ".2##3..........."),
        ("box:50%,0,50%,100%", ".........3####2."),
    ],
)
def test_the_chosen_subject_stays_with_its_own_doubt(choice: str, expected: str) -> None:
    assert chosen(TWO, choice) == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("...#............", ".2##3..........."),  # a stroke
        ("......#####.....", ".........3####2."),
        (".####......#....", TWO),
        (".####..........#", ".2##3..........."),
        ("......##........", "................"),
    ],
)
def test_the_subjects_that_a_mask_is_on_stay(region: str, expected: str) -> None:
    mask = row(region) > 0
    assert shown(select_subjects(row(TWO), 0.5, parse_subject("mask:a.png"), mask)) == expected


def test_a_rough_mask_may_touch_the_neighbour() -> None:
    two = "." * 5 + "#" * 40 + "." * 5 + "#" * 40 + "." * 5
    rough = "#" * 51 + "." * 44
    found = select_subjects(row(two), 0.5, parse_subject("mask:a.png"), row(rough) > 0)
    assert shown(found) == "." * 5 + "#" * 40 + "." * 50


def test_a_place_far_from_everybody_means_nobody() -> None:
    assert chosen(TWO, "at:7,1") == "." * len(TWO)


def test_crumbs_belong_to_their_nearest_subject() -> None:
    near_large = "#" * 20 + "." * 30 + "#.." + "#" * 80
    assert chosen(near_large, "largest") == "." * 50 + "#.." + "#" * 80


def test_nobody_to_choose_from_changes_nothing() -> None:
    assert chosen("..33..", "largest") == "..33.."


def test_box_cuts_apart_who_touch() -> None:
    assert chosen("." * 2 + "#" * 12 + "." * 2, "box:0,0,8,3") == "..######........"


@given(st.sampled_from(["largest", "3", "centre", "at:10%,20%", "box:1,2,30%,40", "mask:a.png"]))
def test_a_choice_is_written_as_it_is_read(text: str) -> None:
    choice = parse_subject(text)
    assert parse_subject(str(choice)) == choice
    assert choice.scaled(1) == choice


def test_a_copy_s_choice_is_the_picture_s() -> None:
    assert str(parse_subject("at:10,20%").scaled(0.5)) == "at:5,20%"


@pytest.mark.parametrize("text", ["", "0", "100", "at:1", "box:1,2,3", "at:x,y", "mask:", "all"])
def test_what_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingError):
        SegmentationSettings(subject=text)
