"""The scores of contestants on the same pictures, and the loop that measures them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from matte.errors import PictureError, SettingError
from matte.evaluation.network_costs import SegmenterCost
from matte.evaluation.pairs import SkippedCase
from matte.evaluation.sheet import CasePanels, WorstCases
from matte.metrics import intervals
from matte.metrics.masks import MASK_METRICS
from matte.registry import nearest
from matte.stages import Progress

EvaluationTask = Literal["segmenter", "refiner", "modnet", "pipeline"]
MeasuredRegion = Literal["unknown", "whole"]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of several contestants on the same pictures.

    `values` holds, by contestant and metric, one number for each of `pictures`. The first
    contestant is evaluated, the others are for comparison; `reference` is the one that the others
    are compared with. `skipped` holds, by name, why a picture was not measured; `worst` shows the
    first contestant's worst cases, the worst first. `pooled` holds, by contestant and metric, what
    is counted over all pictures at once; `costs`, by contestant, what its network costs on
    `machine`, where that was measured.
    """

    task: EvaluationTask
    region: MeasuredRegion
    pictures: tuple[str, ...]
    values: dict[str, dict[str, list[float]]]
    reference: str
    skipped: dict[str, str]
    worst: tuple[CasePanels, ...]
    pooled: Mapping[str, Mapping[str, intervals.Interval]] = field(default_factory=dict)
    costs: Mapping[str, SegmenterCost] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)

    @property
    def evaluated(self) -> str:
        """The name of the contestant that is evaluated."""
        return next(iter(self.values))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics, the leading one first."""
        return tuple(self.values[self.evaluated])

    def mean(self, contestant: str, metric: str) -> intervals.Interval:
        """Return a contestant's mean over the pictures, with its 95 % interval."""
        return intervals.mean_interval(self.values[contestant][metric])

    def compare_with_reference(self, contestant: str, metric: str) -> intervals.Interval | None:
        """Return the contestant's mean compared with the reference's.

        It is the difference of metrics that are higher for the better, and the ratio of errors;
        None where the reference makes no error.
        """
        values, reference = self.values[contestant][metric], self.values[self.reference][metric]
        compare = intervals.mean_difference if metric in MASK_METRICS else intervals.ratio_of_means
        return compare(values, reference)

    def with_reference(self, reference: str) -> "Scores":
        """Return the same scores with another contestant as the reference."""
        if reference not in self.values:
            raise SettingError(f"no contestant {reference!r}", nearest(reference, self.values))
        return replace(self, reference=reference)

    def as_json(self) -> dict[str, Any]:
        """Return the scores in plain JSON values.

        Those of the evaluated contestant are at the top level, those of the others in `compared`.
        """
        first, *others = self.values
        return {
            "task": self.task,
            "contestant": first,
            "region": self.region,
            "pictures": len(self.pictures),
            **self._contestant_json(first),
            "reference": self.reference,
            **({"machine": dict(self.machine)} if self.machine else {}),
            "compared": {name: self._contestant_json(name) for name in others},
            "skipped": self.skipped,
        }

    def _contestant_json(self, contestant: str) -> dict[str, Any]:
        """Return a contestant's means, intervals, single scores and comparisons."""
        values = self.values[contestant]
        means = {metric: self.mean(contestant, metric) for metric in values}
        means |= self.pooled.get(contestant, {})
        plain: dict[str, Any] = {metric: m.value for metric, m in means.items()}
        plain["intervals"] = {metric: [m.low, m.high] for metric, m in means.items()}
        plain["per_picture"] = {
            picture: {metric: values[metric][at] for metric in values}
            for at, picture in enumerate(self.pictures)
        }
        if contestant in self.costs:
            plain["costs"] = self.costs[contestant].as_json()
        if contestant != self.reference:
            plain["against"] = {
                metric: self._comparison_json(contestant, metric) for metric in values
            }
        return plain

    def _comparison_json(self, contestant: str, metric: str) -> dict[str, float]:
        """Return a contestant compared with the reference; empty where the reference is perfect."""
        compared = self.compare_with_reference(contestant, metric)
        if compared is None:
            return {}
        if metric in MASK_METRICS:
            return {"difference": compared.value, "low": compared.low, "high": compared.high}
        plain = {"ratio": compared.value, "low": compared.low, "high": compared.high}
        values, reference = self.values[contestant][metric], self.values[self.reference][metric]
        median = intervals.median_ratio(values, reference)
        return plain if median is None else {**plain, "median": median}


class NamedCase(Protocol):
    """A picture with its truth."""

    @property
    def name(self) -> str:
        """The picture's name."""
        ...


C = TypeVar("C", bound=NamedCase)
R = TypeVar("R")


def compare_contestants(
    task: EvaluationTask,
    region: MeasuredRegion,
    cases: Iterable[C | SkippedCase],
    total: int,
    solve: Callable[[C], Mapping[str, R]],
    measure: Callable[[R, C], Mapping[str, float]],
    make_panels: Callable[[R, C], CasePanels],
    progress: Progress | None = None,
) -> Scores:
    """Return the scores of all contestants on all cases that each of them can solve.

    `solve` gives each contestant's result for a case, the evaluated one's first; `measure` gives a
    result's metrics, the leading one first; `make_panels` the pictures of it for a sheet. `total`
    is the number of cases, for `progress`.
    """
    values: dict[str, dict[str, list[float]]] = {}
    pictures: list[str] = []
    skipped: dict[str, str] = {}
    worst = WorstCases()
    for done, case in enumerate(cases, start=1):
        try:
            if isinstance(case, SkippedCase):
                raise PictureError(case.reason)
            results = solve(case)
            measured = {name: measure(result, case) for name, result in results.items()}
        except PictureError as error:
            skipped[case.name] = str(error)
        else:
            pictures.append(case.name)
            for name, scores in measured.items():
                for metric, value in scores.items():
                    values.setdefault(name, {}).setdefault(metric, []).append(float(value))
            first = next(iter(results))
            metric, value = next(iter(measured[first].items()))
            badness = -value if metric in MASK_METRICS else value
            worst.offer(badness, partial(make_panels, results[first], case))
        if progress is not None:
            progress(done, total)
    if not pictures:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(skipped.items())[:3])
        raise PictureError("no pair can be used", reasons or "the folders are empty")
    reference = list(values)[min(1, len(values) - 1)]
    return Scores(task, region, tuple(pictures), values, reference, skipped, worst.ranked())


def refuse_same_names(names: Sequence[str]) -> None:
    """Raise if two contestants have one name."""
    for name in names:
        if names.count(name) > 1:
            raise SettingError(f"two contestants are called {name!r}", "name each once")
