"""The results of `matte bench`, for its tables, its plot and its JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matte.bench.frame_sizes import FrameSize
from matte.bench.line_timing import LineTiming
from matte.bench.process_timing import ProcessTiming

MATTE_IMAGE = "matte image"  # the process that others are compared with


@dataclass(frozen=True, slots=True)
class SizeReport:
    """The timings of all candidates and processes for one frame size."""

    size: FrameSize
    warm: Sequence[LineTiming]
    cold: Mapping[str, ProcessTiming] = field(default_factory=dict)  # of candidates, by name
    processes: Sequence[ProcessTiming] = ()  # from an empty interpreter to peers

    @property
    def fastest(self) -> LineTiming | None:
        """The candidate with the shortest time whose alpha is right; None if there is none."""
        ranked = [warm for warm in self.warm if warm.total and not warm.error]
        return min(ranked, key=lambda warm: warm.total.median if warm.total else 0, default=None)

    def ratio(self, timed: ProcessTiming, to: str) -> float | None:
        """Return a process's seconds as a share of another's; None if one has no time."""
        other = next((p for p in self.processes if p.name == to), None)
        if timed.seconds is None or other is None or other.seconds is None or other is timed:
            return None
        return round(timed.seconds.median / other.seconds.median, 3)

    def as_json(self, peers: Sequence[str]) -> dict[str, Any]:
        """Return the size's results for `matte bench --json`."""
        return {
            "size": self.size.name,
            "width": self.size.width,
            "height": self.size.height,
            "fastest": self.fastest.name if self.fastest else None,
            "runtimes": [
                {
                    **w.as_json(),
                    "cold": self.cold[w.name].as_json() if w.name in self.cold else None,
                }
                for w in self.warm
            ],
            "processes": [
                {
                    **p.as_json(),
                    "ratio": {name: self.ratio(p, name) for name in (MATTE_IMAGE, *peers)},
                }
                for p in self.processes
            ],
        }


@dataclass(frozen=True, slots=True)
class BenchReport:
    """The results of a whole benchmark, with the machine that they are from."""

    date: str
    machine: Mapping[str, Any]
    preset: str
    settings: Mapping[str, Any]
    picture: str
    peers: Mapping[str, str]  # their versions
    sizes: Sequence[SizeReport]

    @property
    def choice(self) -> Mapping[str, Mapping[str, str]]:
        """The facts of the execution that `auto` chose for each network; empty if not measured."""
        for measured in self.sizes:
            for warm in measured.warm:
                if warm.name == "auto" and warm.networks:
                    return warm.networks
        return {}

    def as_json(self) -> dict[str, Any]:
        """Return the results for `matte bench --json`."""
        return {
            "date": self.date,
            "machine": dict(self.machine),
            "preset": self.preset,
            "settings": dict(self.settings),
            "picture": self.picture,
            "peers": dict(self.peers),
            "auto": {kind: dict(facts) for kind, facts in self.choice.items()},
            "sizes": [measured.as_json(list(self.peers)) for measured in self.sizes],
        }
