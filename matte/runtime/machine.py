"""What this machine is, and what is installed on it."""

import os
import platform
from pathlib import Path
from typing import Any

from matte.runtime.threads import usable_threads

PACKAGES = (
    "matte",
    "numpy",
    "opencv-python-headless",
    "Pillow",
    "openvino",
    "onnxruntime",
    "onnxruntime-gpu",
    "torch",
    "tensorrt",
    "nncf",
    "av",
)


def describe_machine() -> dict[str, Any]:
    """System, processor, threads, memory, and the versions of what is installed."""
    return {
        "system": system(),
        "processor": processor(),
        "threads": usable_threads(),
        "memory_gib": _memory(),
        "python": platform.python_version(),
        "versions": versions(),
    }


def system() -> str:
    """The operating system and the kind of processor, such as "Linux x86_64"."""
    return f"{platform.system()} {platform.machine()}"


def processor() -> str:
    """The processor's own name where it can be had."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor()


def versions() -> dict[str, str]:
    """The versions of those of PACKAGES that are installed."""
    # Here, for who asks for the processor alone would wait for it in vain.
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def machine_facts() -> dict[str, Any]:
    """Return the Python, the system and the packages that a report's numbers depend on."""
    machine = describe_machine()
    return {
        "python": machine["python"],
        "platform": machine["system"],
        "packages": machine["versions"],
    }
