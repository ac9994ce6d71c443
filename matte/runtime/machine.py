"""Describe this machine: system, processor, memory, installed packages."""

import platform
from pathlib import Path
from typing import Any

from matte.limits import GIB
from matte.runtime.memory import machine_bytes
from matte.runtime.threads import usable_threads

REPORTED_PACKAGES = (
    "mattekit",
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
    """Return system, processor, threads, memory and installed versions, for reports."""
    return {
        "system": system_name(),
        "processor": processor_name(),
        "threads": usable_threads(),
        "memory_gib": _memory_gib(),
        "python": platform.python_version(),
        "versions": installed_versions(),
    }


def system_name() -> str:
    """Return the operating system and the kind of processor, such as "Linux x86_64"."""
    return f"{platform.system()} {platform.machine()}"


def processor_name() -> str:
    """Return the processor's model name; where no system tells it, its kind, or nothing."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor()


def installed_versions() -> dict[str, str]:
    """Return the versions of those of REPORTED_PACKAGES that are installed."""
    # Imported here: it takes time that who asks for the processor alone need not wait.
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in REPORTED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _memory_gib() -> float | None:
    """Return the machine's memory in GiB; None where the system does not say."""
    total = machine_bytes()
    return None if total is None else round(total / GIB, 1)


def machine_facts() -> dict[str, Any]:
    """Return the Python, the system and the packages that a report's numbers depend on."""
    machine = describe_machine()
    return {
        "python": machine["python"],
        "platform": machine["system"],
        "packages": machine["versions"],
    }
