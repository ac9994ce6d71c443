"""What is run, and the ways to run it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from matte.configs.settings import RuntimeSettings

if TYPE_CHECKING:
    from matte.runtime.session import Session


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a network: on what, where, in which numbers."""

    backend: str
    device: str = "cpu"  # cpu, gpu, gpu:1 …
    precision: str = "fp32"
    why: str = field(default="", compare=False)  # it was taken

    def __str__(self) -> str:
        return f"{self.backend} {self.device} {self.precision}"


# For each device of a backend that this machine has, the precisions it can calculate in.
Abilities = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Network:
    """A network, as the files and functions that runtimes open it from."""

    path: Path  # ONNX, float32 in and out, any size
    digest: str = ""  # SHA-256 of the file
    as_good_in: tuple[str, ...] = ()  # precisions in which it measured as good as in fp32
    int8: Path | None = None  # the same network, quantised
    int8_digest: str = ""  # SHA-256 of that file
    torch: "Callable[[Way, RuntimeSettings], Session] | None" = None
