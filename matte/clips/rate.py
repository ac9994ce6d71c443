"""The best settings that matte a clip at a wanted rate of frames."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from matte.configs.loader import MergedSettings, with_modnet, with_preset
from matte.errors import MissingWeightsError

FASTEST_PRESET = "fast"
RATE_MARGIN = 1.05  # times the wanted rate, measured on a few frames, keeps up over many


@dataclass(frozen=True, slots=True)
class RateCandidate:
    """Settings to try for matting a clip at a wanted rate, and their name."""

    name: str
    merged: MergedSettings


@dataclass(frozen=True, slots=True)
class RateChoice:
    """The candidate that was chosen, and the rates that were measured of it and those before it.

    `rates` are frames a second, by the candidates' names. `keeps_up` is None for a candidate that
    there was no time to measure.
    """

    candidate: RateCandidate
    rates: dict[str, float]
    keeps_up: bool | None

    def __str__(self) -> str:
        rates = ", ".join(f"{name} {rate:.1f}" for name, rate in self.rates.items())
        how = {
            True: "",
            False: ", the fastest, but too slow as well",
            None: ", untried: the others are too slow, and choosing has taken its time",
        }[self.keeps_up]
        return f"{self.candidate.name} is used{how}; frames a second: {rates}"


def rate_candidates(merged: MergedSettings, needs_mask: bool = False) -> Iterator[RateCandidate]:
    """Yield the settings that were asked for, and then quicker and quicker ones.

    These are the fast preset, MODNet, and the light mask alone. Whoever follows a subject
    `needs_mask`, which MODNet makes none of.
    """
    yield RateCandidate(merged.preset, merged)
    if merged.config.modnet.modnet:
        return
    if merged.preset != FASTEST_PRESET:
        yield RateCandidate(FASTEST_PRESET, with_preset(merged, FASTEST_PRESET))
    if not needs_mask:
        yield RateCandidate("modnet", with_modnet(merged))
    mask_alone = {"segmenter": "person-light", "refiner": "smooth", "video_refiner": "same"}
    yield RateCandidate("mask", with_preset(merged, FASTEST_PRESET, **mask_alone))


def choose_candidate(
    candidates: Iterable[RateCandidate],
    target: float,
    measure: Callable[[RateCandidate], float | None],
) -> RateChoice:
    """Return the first candidate that reaches `target` frames a second; if none does, the quickest.

    `measure` returns a candidate's frames a second; None if there is no time: then that candidate,
    quicker than those before it, is the choice. One whose weights are missing is passed over,
    unless it is the first.
    """
    rates: dict[str, float] = {}
    best: tuple[float, RateCandidate] | None = None
    for candidate in candidates:
        try:
            rate = measure(candidate)
        except MissingWeightsError:
            if best is None:
                raise
            continue
        if rate is None:
            return RateChoice(candidate, rates, keeps_up=None)
        rates[candidate.name] = rate
        if rate >= target * RATE_MARGIN:
            return RateChoice(candidate, rates, keeps_up=True)
        if best is None or rate > best[0]:
            best = rate, candidate
    assert best is not None
    return RateChoice(best[1], rates, keeps_up=False)
