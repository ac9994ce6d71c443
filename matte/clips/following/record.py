"""How surely the chosen subjects were followed through a clip, and when that is in doubt."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matte.clips.following.choices import TimedChoice
from matte.clips.following.follower import Followed
from matte.configs.times import format_time

MIN_SURENESS = 0.5  # below, a frame is doubtful
MAX_PAUSE_SECONDS = 0.2  # between doubtful frames of one moment
MIN_LOST_SECONDS = 1.0  # out of sight for longer: a warning says so

UNSURE, OUT_OF_SIGHT, NOBODY_THERE = "unsure", "out of sight", "nobody is where the choice says"


@dataclass(slots=True)
class DoubtfulMoment:
    """A time in which following was unsure: seconds of the clip, and the least sureness."""

    start: float
    end: float
    sureness: float
    reason: str

    def __str__(self) -> str:
        return f"{format_time(self.start)} to {format_time(self.end)}: {self.reason}"

    def as_json(self) -> dict[str, Any]:
        """Return the same in plain JSON values."""
        return {
            "from": round(self.start, 3),
            "to": round(self.end, 3),
            "sureness": round(self.sureness, 2),
            "reason": self.reason,
        }


class FollowingRecord:
    """What became of the following, frame by frame; `choices` are those that were asked for."""

    def __init__(self, choices: Sequence[TimedChoice]) -> None:
        self.choices = tuple(choices)
        self.moments: list[DoubtfulMoment] = []
        self._sureness = array("f")

    def add(self, seconds: float, followed: Followed) -> DoubtfulMoment | None:
        """Record a frame; return the doubtful moment that it belongs to, if it does."""
        self._sureness.append(followed.sureness)
        reason = _doubt(followed)
        if not reason:
            return None
        last = self.moments[-1] if self.moments else None
        if last is None or last.reason != reason or seconds > last.end + MAX_PAUSE_SECONDS:
            last = DoubtfulMoment(seconds, seconds, followed.sureness, reason)
            self.moments.append(last)
        last.end, last.sureness = seconds, min(last.sureness, followed.sureness)
        return last

    @property
    def warnings(self) -> list[str]:
        """When the subjects were lost for long, or not found: what a person should know."""
        return [
            f"{moment}: the result is empty there"
            for moment in self.moments
            if moment.reason == NOBODY_THERE
            or (moment.reason == OUT_OF_SIGHT and moment.end - moment.start >= MIN_LOST_SECONDS)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the choices, how sure each frame is, and the doubtful moments."""
        return {
            "choices": [str(choice) for choice in self.choices],
            "sureness": [round(value, 2) for value in self._sureness],
            "doubtful": [moment.as_json() for moment in self.moments],
        }


def _doubt(followed: Followed) -> str:
    """Return why a frame is doubtful; "" if it isn't."""
    if followed.waiting:
        return NOBODY_THERE
    if not followed.seen:
        return OUT_OF_SIGHT
    return UNSURE if followed.sureness < MIN_SURENESS else ""
