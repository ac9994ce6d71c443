import numpy as np
import pytest

from matte.arrays import Trimap
from matte.pipeline.budget import Budget, Cost, measured_costs
from matte.weights.store import all_weights, storage_status

TRIMAP = Trimap(np.zeros((1000, 1000), np.uint8))
TRIMAP[:500] = 128


def test_a_cost_grows_with_what_it_is_of() -> None:
    assert Cost(fixed=5, pixels=10, square=100, unknown=8).estimate_ms(TRIMAP) == 5 + 10 + 100 + 4


def test_every_shipped_refiner_has_a_cost() -> None:
    known = all_weights().items()
    shipped = {name for name, w in known if storage_status(w) == "shipped" and w.kind != "modnet"}
    assert shipped | {"closed-form", "guided"} <= measured_costs().keys()
    for cost in measured_costs().values():
        assert cost.estimate_ms(TRIMAP) > 0


def test_without_a_budget_nothing_is_too_much() -> None:
    assert Budget(0, "person", "closed-form").overrun(TRIMAP, {"segment": 1e9}) == ""


def test_what_is_spent_counts() -> None:
    assert Budget(100).overrun(TRIMAP, {"segment": 80.0, "trimap": 20.0}) == ""
    told = Budget(100).overrun(TRIMAP, {"segment": 80.0, "trimap": 21.0})
    assert told == "101 ms were over before the refiner, of 100"


def test_the_refiner_is_foretold_at_this_machines_pace() -> None:
    guided, person = (
        measured_costs()["guided"].estimate_ms(TRIMAP),
        measured_costs()["person"].estimate_ms(TRIMAP),
    )
    budget = Budget(round(person + 2 * guided), "person", "guided")
    assert budget.overrun(TRIMAP, {"segment": person}) == ""
    # Where the segmenter took four times as long, so will the refiner.
    slow = Budget(round(4 * person + 2 * guided), "person", "guided")
    told = slow.overrun(TRIMAP, {"segment": 4 * person})
    assert told.startswith(f"the refiner would take about {4 * guided:.0f} ms, of ")
    # And the refiner's own last run tells more than the segmenter.
    slow.update_pace(TRIMAP, {"refine": guided})
    assert slow.overrun(TRIMAP, {"segment": 4 * person}) == ""


@pytest.mark.parametrize("refiner", ["my.onnx", ""])
def test_a_refiner_that_was_never_measured_may_run(refiner: str) -> None:
    assert Budget(100, "person", refiner).overrun(TRIMAP, {"segment": 90.0}) == ""


def test_a_refiner_that_runs_twice_takes_twice_as_long() -> None:
    guided = measured_costs()["guided"].estimate_ms(TRIMAP)
    for runs, told in ((1, ""), (2, f"the refiner would take about {2 * guided:.0f} ms, of ")):
        budget = Budget(round(1.5 * guided), "person", "guided", refiner_runs=runs)
        assert budget.overrun(TRIMAP, {}).startswith(told)
        assert bool(budget.overrun(TRIMAP, {})) is bool(told)


def test_a_segmenter_that_runs_twice_shows_the_pace_of_one_run() -> None:
    guided, person = (measured_costs()[name].estimate_ms(TRIMAP) for name in ("guided", "person"))
    for runs in (1, 2):
        budget = Budget(round(runs * person + 1.5 * guided), "person", "guided", 1, runs)
        assert budget.overrun(TRIMAP, {"segment": runs * person}) == ""
        assert budget.overrun(TRIMAP, {"segment": 1.8 * runs * person})
