"""How quick a live picture is."""

import time
from collections import deque
from statistics import median, quantiles

RECENT = 30  # frames over which the speed that is shown is taken
REMEMBERED = 36_000  # frames whose latencies are known


class Tally:
    """How many frames were shown, when, and how long after they came."""

    def __init__(self) -> None:
        self.shown = 0
        self._began = self._last = 0.0
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._latencies: deque[float] = deque(maxlen=REMEMBERED)

    def add(self, arrived: float) -> None:
        """Counts a frame that came then, and is shown now."""
        now = time.monotonic()
        self._began = self._began if self.shown else now
        self._last = now
        self.shown += 1
        self._recent.append(now)
        self._latencies.append(now - arrived)

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return self._last - self._began

    @property
    def running(self) -> float:
        """Seconds since the first frame was shown."""
        return time.monotonic() - self._began if self.shown else 0.0

    @property
    def fps(self) -> float:
        """Frames for each second."""
        return (self.shown - 1) / self.seconds if self.seconds > 0 else 0.0

    @property
    def recent_fps(self) -> float:
        """Frames for each second, lately."""
        spent = self._recent[-1] - self._recent[0] if self._recent else 0
        return (len(self._recent) - 1) / spent if spent > 0 else 0.0

    @property
    def latency(self) -> float:
        """Seconds from a frame's coming until it was shown: the last frame's."""
        return self._latencies[-1] if self._latencies else 0.0

    def latencies(self) -> tuple[float, float]:
        """The median latency, and the one that 95 % of frames keep within."""
        if not self._latencies:
            return 0.0, 0.0
        if len(self._latencies) == 1:
            return self.latency, self.latency
        return median(self._latencies), quantiles(self._latencies, n=20)[-1]
