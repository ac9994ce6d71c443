import numpy as np
import pytest

from matte.arrays import Alpha
from matte.pipeline.seen import bystander_hint, describe_subjects, seen_subjects


def alpha_of(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (100, 200)) -> Alpha:
    alpha = np.zeros(size, np.float32)
    for x, y, wide, high in boxes:
        alpha[y : y + high, x : x + wide] = 1
    return Alpha(alpha)


def test_nothing_is_no_subject() -> None:
    assert seen_subjects(alpha_of()) == []
    assert seen_subjects(Alpha(np.full((9, 9), 0.4, np.float32))) == []


def test_subjects_come_by_size_with_their_shares_and_boxes() -> None:
    found = seen_subjects(alpha_of((150, 40, 10, 10), (10, 10, 40, 50)))
    assert [subject.box for subject in found] == [(10, 10, 40, 50), (150, 40, 10, 10)]
    assert [subject.share for subject in found] == [0.1, 0.005]
    assert found[0].as_json() == {"share": 0.1, "box": [10, 10, 40, 50]}


def test_crumbs_are_no_subjects() -> None:
    assert len(seen_subjects(alpha_of((10, 10, 40, 50), (150, 40, 6, 6)))) == 1


@pytest.mark.parametrize(
    ("second", "is_apart"),
    [
        ((150, 40, 10, 10), True),  # small and far
        ((55, 40, 10, 10), False),  # small and near
        ((120, 10, 40, 50), False),  # far, but as large: a group
    ],
)
def test_small_subjects_far_away_are_apart(
    second: tuple[int, int, int, int], is_apart: bool
) -> None:
    found = seen_subjects(alpha_of((10, 10, 40, 50), second))
    assert [subject.is_apart for subject in found] == [False, is_apart]


def test_large_pictures_are_looked_at_in_a_copy() -> None:
    (found,) = seen_subjects(alpha_of((600, 300, 900, 600), size=(1000, 2500)))
    assert np.allclose(found.box, (600, 300, 900, 600), atol=8)
    assert found.share == pytest.approx(900 * 600 / 2.5e6, rel=0.02)


@pytest.mark.parametrize(
    ("apart", "chosen", "hint"),
    [
        (0, "all", ""),
        (1, "2", ""),
        (1, "all", "1 small subject far from the largest one stayed: --subject largest"),
        (3, "all", "3 small subjects"),
    ],
)
def test_bystanders_are_told_unless_subjects_are_chosen(apart: int, chosen: str, hint: str) -> None:
    subjects = [{"share": 0.3}, *[{"share": 0.01, "apart": True}] * apart]
    report = {"subjects": subjects, "settings": {"subject": chosen}}
    assert bystander_hint(report).startswith(hint)
    assert bool(bystander_hint(report)) is bool(hint)


def test_subjects_in_words() -> None:
    assert describe_subjects([]) == "no subject"
    assert describe_subjects([{"share": 0.304}]) == "1 subject: 30.4 % of the picture"
    three = [{"share": share} for share in (0.3, 0.2, 0.01)]
    assert describe_subjects(three) == "3 subjects: 30.0 %, 20.0 % and 1.0 % of the picture"
