"""What an evaluation gives back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from matte.errors import PictureError, SettingError
from matte.evaluation.pairs import Skipped
from matte.evaluation.sheet import Panels, Worst
from matte.metrics import intervals
from matte.metrics.masks import MASK_METRICS
from matte.registry import nearest

Task = Literal["segmenter", "refiner", "modnet", "pipeline"]
Region = Literal["unknown", "whole"]
Watch = Callable[[int, int], None]  # is told how many pictures are done, and of how many


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """How contestants did on the same pictures.

    `values` holds, by contestant and metric, one number for each of `pictures`. The first
    contestant is the one that is evaluated, the others are for comparison; `reference` is the one
    that the others are measured by. `skipped` tells why, by name, pairs were left out; `worst` is
    what the first contestant did worst at, worst first.
    """

    task: Task
    region: Region
    pictures: tuple[str, ...]
    values: dict[str, dict[str, list[float]]]
    reference: str
    skipped: dict[str, str]
    worst: tuple[Panels, ...]

    @property
    def evaluated(self) -> str:
        """The contestant that this is about."""
        return next(iter(self.values))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what was measured, the most telling first."""
        return tuple(self.values[self.evaluated])

    def mean(self, contestant: str, metric: str) -> intervals.Interval:
        """The contestant's mean over the pictures."""
        return intervals.mean_interval(self.values[contestant][metric])

    def against(self, contestant: str, metric: str) -> intervals.Interval | None:
        """The contestant's mean measured by the reference's: the difference of what is higher for
        the better, the ratio of errors; None where the reference makes no error.
        """
        values, reference = self.values[contestant][metric], self.values[self.reference][metric]
        compare = intervals.mean_difference if metric in MASK_METRICS else intervals.ratio_of_means
        return compare(values, reference)

    def measured_by(self, reference: str) -> "Scores":
        """The same with another reference."""
        if reference not in self.values:
            raise SettingError(f"no contestant {reference!r}", nearest(reference, self.values))
        return replace(self, reference=reference)

    def as_json(self) -> dict[str, Any]:
        """Plain values: what the evaluated contestant reached at the top level under the metrics'
        plain names, the same of each other one under `compared`.
        """
        first, *others = self.values
        return {
            "task": self.task,
            "contestant": first,
            "region": self.region,
            "pictures": len(self.pictures),
            **self._plain(first),
            "reference": self.reference,
            "compared": {name: self._plain(name) for name in others},
            "skipped": self.skipped,
        }

    def _plain(self, contestant: str) -> dict[str, Any]:
        values = self.values[contestant]
        means = {metric: self.mean(contestant, metric) for metric in values}
        plain: dict[str, Any] = {metric: m.value for metric, m in means.items()}
        plain["intervals"] = {metric: [m.low, m.high] for metric, m in means.items()}
        plain["per_picture"] = {
            picture: {metric: values[metric][at] for metric in values}
            for at, picture in enumerate(self.pictures)
        }
        if contestant != self.reference:
            plain["against"] = {metric: self._against(contestant, metric) for metric in values}
        return plain

    def _against(self, contestant: str, metric: str) -> dict[str, float]:
        found = self.against(contestant, metric)
        if found is None:
            return {}
        if metric in MASK_METRICS:
            return {"difference": found.value, "low": found.low, "high": found.high}
        plain = {"ratio": found.value, "low": found.low, "high": found.high}
        values, reference = self.values[contestant][metric], self.values[self.reference][metric]
        median = intervals.median_ratio(values, reference)
        return plain if median is None else {**plain, "median": median}


class Named(Protocol):
    """A picture with its truth."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...


C = TypeVar("C", bound=Named)
R = TypeVar("R")


def contest(
    task: Task,
    region: Region,
    cases: Iterable[C | Skipped],
    total: int,
    find: Callable[[C], Mapping[str, R]],
    measure: Callable[[R, C], Mapping[str, float]],
    show: Callable[[R, C], Panels],
    watch: Watch | None = None,
) -> Scores:
    """The scores of all contestants on all cases of which each of them can make something.

    `find` gives each contestant's result for a case, the evaluated one's first; `measure` what one
    is worth, the leading metric first; `show` what is to be seen of it.
    """
    values: dict[str, dict[str, list[float]]] = {}
    pictures: list[str] = []
    skipped: dict[str, str] = {}
    worst = Worst()
    for done, case in enumerate(cases, start=1):
        try:
            if isinstance(case, Skipped):
                raise PictureError(case.reason)
            found = find(case)
            measured = {name: measure(result, case) for name, result in found.items()}
        except PictureError as error:
            skipped[case.name] = str(error)
        else:
            pictures.append(case.name)
            for name, scores in measured.items():
                for metric, value in scores.items():
                    values.setdefault(name, {}).setdefault(metric, []).append(float(value))
            first = next(iter(found))
            metric, value = next(iter(measured[first].items()))
            badness = -value if metric in MASK_METRICS else value
            worst.offer(badness, partial(show, found[first], case))
        if watch is not None:
            watch(done, total)
    if not pictures:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(skipped.items())[:3])
        raise PictureError("no pair can be used", reasons or "the folders are empty")
    reference = list(values)[min(1, len(values) - 1)]
    return Scores(task, region, tuple(pictures), values, reference, skipped, worst.first())


def label_once(names: Sequence[str]) -> None:
    """Raises if two contestants have one name."""
    for name in names:
        if names.count(name) > 1:
            raise SettingError(f"two contestants are called {name!r}", "name each once")
