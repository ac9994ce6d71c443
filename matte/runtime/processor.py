"""Find out what this machine's processor calculates fast."""

import ctypes
import platform
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# Linux' names of what systems list. x86 multiplies bfloat16 by AVX-512 or AMX; ARM's "bf16" does
# not count as long as nobody has measured networks with it.
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
# Products of 8-bit numbers that are summed in 32 bits. Without them, x86 sums pairs in 16 bits,
# which may saturate: another result, and no faster.
VNNI_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"})
AVX512_FLAGS = frozenset({"avx512f"})
# The same flags by the names of macOS' sysctl and the numbers of Windows' processor features. x86's
# bf16 and VNNI are not among them, so there they count as missing.
MACOS_FLAGS = {"hw.optional.arm.FEAT_DotProd": "asimddp", "hw.optional.avx512f": "avx512f"}
WINDOWS_FLAGS = {41: "avx512f", 43: "asimddp"}


@dataclass(frozen=True, slots=True)
class ProcessorAbilities:
    """The number formats that a processor calculates fast.

    `bf16`: products of bfloat16 (AVX-512 BF16 or AMX). `vnni`: exact sums of products of 8-bit
    integers (VNNI, AMX or ARM's dot product). `avx512`: AVX-512 at all.
    """

    bf16: bool = False
    vnni: bool = False
    avx512: bool = False


def processor_abilities(flags: Collection[str] | None = None) -> ProcessorAbilities:
    """Return what this machine's processor can do, or one with those flags.

    `flags`: Linux' names, such as "avx512_vnni"; None: the operating system is asked. What no
    system tells counts as missing.
    """
    known = frozenset(system_flags() if flags is None else flags)
    return ProcessorAbilities(
        bf16=not known.isdisjoint(BF16_FLAGS),
        vnni=not known.isdisjoint(VNNI_FLAGS),
        avx512=not known.isdisjoint(AVX512_FLAGS),
    )


def system_flags() -> frozenset[str]:
    """Return the processor's flags that the operating system lists, by Linux' names.

    Of macOS and Windows only those that matter here.
    """
    system = platform.system()
    try:
        if system == "Darwin":
            return frozenset(f for name, f in MACOS_FLAGS.items() if _sysctl_number(name))
        if system == "Windows":
            is_present = ctypes.CDLL("kernel32").IsProcessorFeaturePresent
            return frozenset(f for number, f in WINDOWS_FLAGS.items() if is_present(number))
        return _cpuinfo_flags(CPUINFO)
    except (OSError, AttributeError):  # no such file, library or function
        return frozenset()


def _cpuinfo_flags(path: Path) -> frozenset[str]:
    """Return the flags that Linux' /proc/cpuinfo lists for the first processor."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, flags = line.partition(":")
            if name.strip() in ("flags", "Features"):  # of x86, of ARM
                return frozenset(flags.split())
    return frozenset()


def _sysctl_number(name: str) -> int:
    """Return a number that macOS knows by that name; 0 if it knows none."""
    value, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
    library = ctypes.CDLL("libSystem.dylib")
    library.sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, 0)
    return value.value
