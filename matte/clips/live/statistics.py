"""How fast and how late a live picture is."""

import time
from collections import deque
from statistics import median, quantiles

RECENT_FRAMES = 30  # over which the displayed rate is taken
MAX_LATENCIES = 36_000  # frames whose latencies are remembered


class DisplayStatistics:
    """Counts the frames that were shown, their rate, and how long after their arrival it was."""

    def __init__(self) -> None:
        self.shown = 0
        self._began = self._last = 0.0
        self._recent: deque[float] = deque(maxlen=RECENT_FRAMES)
        self._latencies: deque[float] = deque(maxlen=MAX_LATENCIES)

    def add_frame(self, arrived: float) -> None:
        """Count a frame that arrived at this time, by time.monotonic(), and is shown now."""
        now = time.monotonic()
        self._began = self._began if self.shown else now
        self._last = now
        self.shown += 1
        self._recent.append(now)
        self._latencies.append(now - arrived)

    @property
    def shown_seconds(self) -> float:
        """Seconds from the first frame to the last."""
        return self._last - self._began

    @property
    def running_seconds(self) -> float:
        """Seconds since the first frame was shown; 0 before."""
        return time.monotonic() - self._began if self.shown else 0.0

    @property
    def fps(self) -> float:
        """Frames a second, over all."""
        return (self.shown - 1) / self.shown_seconds if self.shown_seconds > 0 else 0.0

    @property
    def recent_fps(self) -> float:
        """Frames a second, over the most recent ones."""
        seconds = self._recent[-1] - self._recent[0] if self._recent else 0
        return (len(self._recent) - 1) / seconds if seconds > 0 else 0.0

    @property
    def latency(self) -> float:
        """Seconds from the arrival of the last frame until it was shown."""
        return self._latencies[-1] if self._latencies else 0.0

    def latency_quantiles(self) -> tuple[float, float]:
        """Return the median latency, and the one within which 95 % of frames are, in seconds."""
        if not self._latencies:
            return 0.0, 0.0
        if len(self._latencies) == 1:
            return self.latency, self.latency
        return median(self._latencies), quantiles(self._latencies, n=20)[-1]
