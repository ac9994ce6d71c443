"""The best way to matte a clip that keeps up with a rate of frames."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from matte.configs.loader import MergedSettings, with_modnet, with_preset
from matte.errors import MissingWeightsError

FASTEST = "fast"
ENOUGH = 1.05  # of the rate, measured on a few frames, keeps up over many


@dataclass(frozen=True, slots=True)
class Way:
    """A way to matte a clip, and what it is called."""

    name: str
    merged: MergedSettings


@dataclass(frozen=True, slots=True)
class Choice:
    """The way that was chosen, and the rates that were measured on the way to it, by name."""

    way: Way
    rates: dict[str, float]
    keeps_up: bool

    def __str__(self) -> str:
        seen = ", ".join(f"{name} {rate:.1f}" for name, rate in self.rates.items())
        how = "" if self.keeps_up else ", though it is too slow, too"
        return f"{self.way.name} is taken{how}; frames a second: {seen}"


def ways(merged: MergedSettings) -> Iterator[Way]:
    """What was asked for, and what is quicker: the fast preset, MODNet, the light mask alone."""
    yield Way(merged.preset, merged)
    if merged.config.modnet.modnet:
        return
    if merged.preset != FASTEST:
        yield Way(FASTEST, with_preset(merged, FASTEST))
    yield Way("modnet", with_modnet(merged))
    yield Way(
        "mask",
        with_preset(
            merged, FASTEST, segmenter="person-light", refiner="smooth", video_refiner="same"
        ),
    )


def choose(ways: Iterable[Way], target: float, measure: Callable[[Way], float]) -> Choice:
    """The first way that reaches `target` frames a second; if none does, the quickest.

    One whose weights are missing is passed over, unless it is the first.
    """
    rates: dict[str, float] = {}
    best: tuple[float, Way] | None = None
    for way in ways:
        try:
            rate = measure(way)
        except MissingWeightsError:
            if best is None:
                raise
            continue
        rates[way.name] = rate
        if rate >= target * ENOUGH:
            return Choice(way, rates, keeps_up=True)
        if best is None or rate > best[0]:
            best = rate, way
    assert best is not None
    return Choice(best[1], rates, keeps_up=False)
