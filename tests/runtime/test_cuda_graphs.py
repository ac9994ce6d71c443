"""What can be tested without a GPU; one test compares replayed work with plain work on one."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from matte.errors import BackendError, MatteWarning
from matte.runtime.cuda_graphs import MAX_GRAPHS, PLAIN_RUNS, GraphedNetwork, RecordedWork


class Recorder:
    """Records as a GPU would, but runs the work at each replay."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.recorded, self.replayed = error, 0, 0

    def __call__(
        self, work: Callable[..., Tensor], inputs: Sequence[Tensor | None]
    ) -> RecordedWork[Tensor]:
        if self.error is not None:
            raise self.error
        self.recorded += 1
        recorder = self

        class Fake:
            def replay(self, *values: Tensor) -> Tensor:
                recorder.replayed += 1
                return work(*values)

        return cast(RecordedWork[Tensor], Fake())


def double(*, image: Tensor) -> Tensor:
    return 2 * image


def test_only_shapes_that_come_again_are_recorded() -> None:
    recorder = Recorder()
    network = GraphedNetwork(double, recorder)
    for run in range(PLAIN_RUNS + 3):
        image = torch.full((1, 3, 4, 4), float(run))
        assert torch.equal(network(image=image), 2 * image)
        assert torch.equal(
            network(image=torch.ones(1, 3, 5, 5 + run)), torch.full((1, 3, 5, 5 + run), 2.0)
        )
    assert (recorder.recorded, recorder.replayed) == (1, 3)


def test_no_more_shapes_are_kept_than_memory_is_planned_for() -> None:
    recorder = Recorder()
    network = GraphedNetwork(double, recorder)
    sides = range(1, MAX_GRAPHS + 2)
    for side in sides:
        for _ in range(PLAIN_RUNS + 1):
            network(image=torch.zeros(1, 3, side, side))
    assert recorder.recorded == len(sides)
    network(image=torch.zeros(1, 3, MAX_GRAPHS + 1, MAX_GRAPHS + 1))  # is there still
    assert recorder.recorded == len(sides)
    network(image=torch.zeros(1, 3, 1, 1))  # made room, and is recorded anew
    assert recorder.recorded == len(sides) + 1


@pytest.mark.parametrize(
    "error", [RuntimeError("not while capturing\nmore"), BackendError("full", "wait")]
)
def test_what_can_not_be_recorded_runs_as_it_is(error: Exception) -> None:
    network = GraphedNetwork(double, Recorder(error))
    image = torch.ones(1, 3, 4, 4)
    for _ in range(PLAIN_RUNS):
        network(image=image)
    with pytest.warns(MatteWarning, match=r"no CUDA graph \((not while capturing|full)"):
        assert torch.equal(network(image=image), 2 * image)
    assert torch.equal(network(image=image), 2 * image)  # and says so once


@pytest.mark.gpu
def test_replayed_work_is_the_work() -> None:
    def work(image: Tensor, more: Tensor | None) -> Any:
        return torch.relu(image) + (0 if more is None else more)

    image = torch.randn(2, 3, 8, 8, device="cuda")
    with torch.inference_mode():
        recorded = RecordedWork(work, (image, None))
        for _ in range(3):
            other = torch.randn_like(image)
            torch.testing.assert_close(recorded.replay(other, None), work(other, None))
