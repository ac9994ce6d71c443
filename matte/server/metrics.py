"""What the server counts, as Prometheus reads it."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATUS_FILE = Path("/proc/self/statm")  # Linux's: pages of memory


class Metrics:
    """Counts requests, jobs and the seconds of stages."""

    def __init__(self) -> None:
        self._changing = Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._jobs: Counter[str] = Counter()
        self._job_seconds = 0.0
        self._running = 0
        self._stage_seconds: defaultdict[str, float] = defaultdict(float)
        self._stage_runs: Counter[str] = Counter()

    def request_ended(self, route: str, status: int) -> None:
        """Count a request by its route's pattern: ids would be without end."""
        with self._changing:
            self._requests[route, status] += 1

    def job_began(self) -> None:
        """Count a job that runs."""
        with self._changing:
            self._running += 1

    def job_ended(self, seconds: float, outcome: str) -> None:
        """Count a job that is done, failed or stopped."""
        with self._changing:
            self._running -= 1
            self._jobs[outcome] += 1
            self._job_seconds += seconds

    def stages_ran(self, ms: Mapping[str, float]) -> None:
        """Add what a result's stages took."""
        with self._changing:
            for stage, spent in ms.items():
                self._stage_seconds[stage] += spent / 1000
                self._stage_runs[stage] += 1

    def as_text(self, gauges: Mapping[str, float]) -> str:
        """Return everything as text; `gauges` are further numbers by their name."""
        with self._changing:
            return "\n".join([*self._lines(gauges), ""])

    def _lines(self, gauges: Mapping[str, float]) -> Iterator[str]:
        """Yield the lines of the text."""
        yield from _head("matte_requests_total", "counter", "Requests by route and status.")
        for (route, status), count in sorted(self._requests.items()):
            yield f'matte_requests_total{{route="{route}",status="{status}"}} {count}'
        yield from _head("matte_jobs_total", "counter", "Jobs by what became of them.")
        for outcome, count in sorted(self._jobs.items()):
            yield f'matte_jobs_total{{outcome="{outcome}"}} {count}'
        yield from _head("matte_job_seconds_total", "counter", "Seconds that jobs took.")
        yield f"matte_job_seconds_total {self._job_seconds:.3f}"
        yield from _head("matte_jobs_running", "gauge", "Jobs that run.")
        yield f"matte_jobs_running {self._running}"
        yield from _head("matte_stage_seconds", "summary", "Seconds of each stage.")
        for stage, seconds in sorted(self._stage_seconds.items()):
            yield f'matte_stage_seconds_sum{{stage="{stage}"}} {seconds:.3f}'
            yield f'matte_stage_seconds_count{{stage="{stage}"}} {self._stage_runs[stage]}'
        for name, value in {**gauges, "resident_memory_bytes": resident_bytes()}.items():
            yield from _head(f"matte_{name}", "gauge", name.replace("_", " ").capitalize() + ".")
            yield f"matte_{name} {value:.10g}"


def resident_bytes() -> int:
    """Return the memory that this process holds; 0 where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return int(STATUS_FILE.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _head(name: str, kind: str, help_: str) -> Iterator[str]:
    """Yield the lines that describe a metric."""
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"
