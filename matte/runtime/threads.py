"""How many processors there are to use."""

import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of the container: microseconds of work per period


def usable_threads() -> int:
    """The processors that this process may run on, and no more than its container pays for."""
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    return max(1, min(processors, _quota()))


def _quota() -> int:
    try:
        quota, period = QUOTA.read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):  # no container, or one without a limit: "max 100000"
        return 1 << 30
