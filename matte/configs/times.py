"""Times in a clip, read from text and written as text."""

import math
import re

from matte.errors import SettingError

MAX_TIME_SECONDS = 10**9  # no clip has more, and containers count in 64 bits


def parse_time(text: str) -> float:
    """Return the seconds that a text names: `12.5`, `1:02.5` (minutes), `1:00:02.5` (hours)."""
    found = re.fullmatch(r"\s*(?:(?:(\d+):)?(\d+):)?(\d+\.?\d*|\.\d+)\s*", text, re.ASCII)
    if found is None:
        raise SettingError(f"{text!r} is not a time", "give seconds, or minutes such as 1:02.5")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    if (found[2] and seconds >= 60) or (found[1] and minutes >= 60):
        raise SettingError(f"{text!r} is not a time", "give up to 59 behind a colon")
    total = 3600 * hours + 60 * minutes + seconds
    if not total <= MAX_TIME_SECONDS:
        raise SettingError(f"{text[:20]!r}… is not a time", f"give at most {MAX_TIME_SECONDS} s")
    return total


def check_time_range(start: float, end: float | None) -> None:
    """Raise SettingError unless seconds name a range of a clip; None is the clip's end."""
    # Phrased so that NaN fails.
    if not 0 <= start <= MAX_TIME_SECONDS:
        raise SettingError(f"start = {start}", f"give seconds, 0 to {MAX_TIME_SECONDS}")
    if end is not None and not start < end <= MAX_TIME_SECONDS:
        raise SettingError(f"end = {end} with start = {start}", "give a later one, in seconds")


def format_time(seconds: float) -> str:
    """Return a time as `parse_time` reads it: `1:02.500`."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(max(thousandths, 0), 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{math.floor(rest / 1000):02d}.{rest % 1000:03d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"
