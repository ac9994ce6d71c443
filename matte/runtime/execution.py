"""How a network runs (backend, device, precision), and the files that it is opened from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from matte.configs.settings import RuntimeSettings

if TYPE_CHECKING:
    from matte.runtime.session import Session


@dataclass(frozen=True, slots=True)
class Execution:
    """How a network runs: by which backend, on which device, in which precision.

    `why` says in words why this one was chosen; two that differ in nothing else are equal.
    """

    backend: str
    device: str = "cpu"  # cpu, gpu, gpu:1 …
    precision: str = "fp32"
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.backend} {self.device} {self.precision}"


# For each device of a backend that this machine has, the precisions that it calculates in.
DevicePrecisions = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """The files, and the torch function, from which backends open one network."""

    path: Path  # ONNX, float32 in and out, any size
    digest: str = ""  # SHA-256 of the file
    accurate_precisions: tuple[str, ...] = ()  # in which it measured as good as in fp32
    int8: Path | None = None  # the same network, quantised
    int8_digest: str = ""  # SHA-256 of that file
    is_stranger: bool = False  # neither of a manifest nor made by matte itself
    torch: "Callable[[Execution, RuntimeSettings], Session] | None" = None
