"""Count the processors that this process may use, within its container's limits."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")  # where Linux keeps the limits of groups of processes
OWN_GROUPS_FILE = Path("/proc/self/cgroup")  # the groups that this process is in
NO_PROCESSOR_LIMIT = 1 << 30


def usable_threads() -> int:
    """Return how many processors this process may use: no more than its container is allowed."""
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    return max(1, min(processors, *(_paid_processors(group) for group in control_groups("cpu"))))


def control_groups(kind: str) -> Iterator[Path]:
    """Yield the folders of this process's Linux control groups of a kind, cpu or memory.

    Those around them follow: each may set a limit. Elsewhere than on Linux none of them exists.
    """
    lines = [f"0::{os.sep}"]
    with suppress(OSError):
        lines += OWN_GROUPS_FILE.read_text().splitlines()
    for line in lines:
        _, _, entry = line.partition(":")
        kinds, _, place = entry.partition(":")
        if kinds and kind not in kinds.split(","):
            continue
        # Of version 2 there is one tree; of version 1 one for each kind, under one name or two.
        roots = [CONTROL_GROUPS / kind, CONTROL_GROUPS / kinds] if kinds else [CONTROL_GROUPS]
        own = Path(place.lstrip("/"))
        for root in roots:
            yield from (root / part for part in (own, *own.parents))


def _paid_processors(group: Path) -> int:
    """Return how many processors a control group is allowed: its share of each period."""
    with suppress(OSError, ValueError, ZeroDivisionError):  # not there, or "max 100000"
        quota, period = (group / "cpu.max").read_text().split()
        return -(-int(quota) // int(period))
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = ((group / f"cpu.cfs_{n}_us").read_text() for n in ("quota", "period"))
        return -(-int(quota) // int(period)) if int(quota) > 0 else NO_PROCESSOR_LIMIT  # -1: none
    return NO_PROCESSOR_LIMIT
