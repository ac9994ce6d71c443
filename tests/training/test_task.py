"""The protocol of the training loop and the tasks that follow it."""

import inspect

import pytest

from matte.training.modnet import ModnetTask
from matte.training.refiner import RefinerTask
from matte.training.segmenter import SegmenterTask
from matte.training.soc import SocTask
from matte.training.task import FULL_SET_PICTURES, TrainingTask, mean_over_sets
from tests.training.line_task import LineTask

METHODS = ("batch", "losses", "validate", "sheet", "save", "export")


@pytest.mark.parametrize("task", [SegmenterTask, RefinerTask, ModnetTask, SocTask, LineTask])
def test_every_task_can_be_called_as_the_loop_does(task: type) -> None:
    for name in METHODS:
        wanted = inspect.signature(getattr(TrainingTask, name)).parameters
        assert list(inspect.signature(getattr(task, name)).parameters) == list(wanted), name


def test_a_set_counts_by_its_pictures_up_to_a_limit() -> None:
    pictures = {"large": [0.9] * (4 * FULL_SET_PICTURES), "one": [0.1]}

    found = mean_over_sets({"large": 0.9, "one": 0.1}, pictures)

    assert found == pytest.approx((0.9 * FULL_SET_PICTURES + 0.1) / (FULL_SET_PICTURES + 1))


def test_without_sets_the_score_is_nothing() -> None:
    assert mean_over_sets({}, {}) == 0
