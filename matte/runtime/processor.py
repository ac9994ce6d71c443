"""What this machine's processor can do."""

from pathlib import Path

TOLD = Path("/proc/cpuinfo")
# Products of 8-bit numbers that are summed in 32 bits. Without them, x86 sums pairs in 16 bits,
# which may saturate: another result, and no faster.
EXACT_SUMS = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"}


def has_int8() -> bool:
    """Whether networks in int8 are fast and exact here; not where that can't be told."""
    try:
        with TOLD.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, flags = line.partition(":")
                if name.strip() in ("flags", "Features"):  # of x86, of ARM
                    return not EXACT_SUMS.isdisjoint(flags.split())
    except OSError:  # no Linux
        pass
    return False
