"""How many processors there are to use."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")  # where Linux keeps what groups of processes may use
OWN = Path("/proc/self/cgroup")  # the groups that this process is in
NO_LIMIT = 1 << 30


def usable_threads() -> int:
    """The processors that this process may run on, and no more than its container pays for."""
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    return max(1, min(processors, *(_paid(group) for group in groups("cpu"))))


def groups(kind: str) -> Iterator[Path]:
    """The folders of this process's groups of a kind, cpu or memory, and of those around them: each
    may set a limit.
    """
    lines = [f"0::{os.sep}"]
    with suppress(OSError):
        lines += OWN.read_text().splitlines()
    for line in lines:
        _, _, told = line.partition(":")
        kinds, _, place = told.partition(":")
        if kinds and kind not in kinds.split(","):
            continue
        # Of version 2 there is one tree; of version 1 one for each kind, under one name or two.
        roots = [GROUPS / kind, GROUPS / kinds] if kinds else [GROUPS]
        own = Path(place.lstrip("/"))
        for root in roots:
            yield from (root / part for part in (own, *own.parents))


def _paid(group: Path) -> int:
    """The processors that a group pays for: microseconds of work per period."""
    with suppress(OSError, ValueError, ZeroDivisionError):  # not there, or "max 100000"
        quota, period = (group / "cpu.max").read_text().split()
        return -(-int(quota) // int(period))
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = ((group / f"cpu.cfs_{n}_us").read_text() for n in ("quota", "period"))
        return -(-int(quota) // int(period)) if int(quota) > 0 else NO_LIMIT  # -1: none
    return NO_LIMIT
