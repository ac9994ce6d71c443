"""The protocol of the training loop and the tasks that follow it."""

import inspect

import pytest

from matte.training.modnet import ModnetTask
from matte.training.refiner import RefinerTask
from matte.training.segmenter import SegmenterTask
from matte.training.soc import SocTask
from matte.training.task import TrainingTask
from tests.training.line_task import LineTask

METHODS = ("batch", "losses", "validate", "sheet", "save", "export")


@pytest.mark.parametrize("task", [SegmenterTask, RefinerTask, ModnetTask, SocTask, LineTask])
def test_every_task_can_be_called_as_the_loop_does(task: type) -> None:
    for name in METHODS:
        wanted = inspect.signature(getattr(TrainingTask, name)).parameters
        assert list(inspect.signature(getattr(task, name)).parameters) == list(wanted), name
