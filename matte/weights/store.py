"""Which networks there are, and where their files lie."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from matte.configs.places import stored_weights
from matte.configs.tables import from_table, read_toml
from matte.errors import WeightsError
from matte.registry import nearest

SHIPPED = Path(__file__).parent
ONNX_START = b"\x08"  # the protobuf tag of a model's first field, ir_version


@dataclass(frozen=True, slots=True)
class Weights:
    """One network: a row of a manifest, or a file that the user named."""

    file: str
    kind: str  # segmenter, refiner or modnet
    sha256: str = ""
    size: int = 0  # long side that it was trained at; 0: unknown
    architecture: str = ""
    parameters: int = 0
    origin: str = ""
    licence: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    folder: Path = SHIPPED

    @property
    def path(self) -> Path:
        """Where the file should lie."""
        return self.folder / self.file

    def check(self) -> None:
        """Raises unless the file is there and is the one that the manifest means."""
        if not self.path.is_file():
            raise WeightsError(f"{self.path} is missing", "install matte again")
        if hashlib.sha256(self.path.read_bytes()).hexdigest() != self.sha256:
            raise WeightsError(f"{self.path} is damaged", "install matte again")


def all_weights() -> dict[str, Weights]:
    """The shipped and the user's networks by name."""
    found: dict[str, Weights] = {}
    for folder in (SHIPPED, stored_weights()):
        manifest = folder / "manifest.toml"
        if not manifest.is_file():
            continue
        for name, row in read_toml(manifest).items():
            found[name] = replace(from_table(Weights, row, f"{manifest}: {name}"), folder=folder)
    return found


def find(kind: str, name: str) -> Weights:
    """The network that `name` means: a stored one of that kind, or an ONNX file."""
    known = {n: w for n, w in all_weights().items() if w.kind == kind}
    if name in known:
        weights = known[name]
        if not weights.path.is_file():
            raise WeightsError(f"{weights.path} is missing", "install matte again")
        return weights
    path = Path(name)
    if not (path.suffix or path.exists()):
        raise WeightsError(f"no {kind} {name!r}", f"{nearest(name, known)} Or give an ONNX file")
    try:
        with path.open("rb") as file:
            start = file.read(1)
    except OSError as error:
        raise WeightsError(f"can't read {path}", str(error.strerror)) from error
    if start != ONNX_START:
        raise WeightsError(f"{path} is not an ONNX file", f"give the name of a {kind} or its .onnx")
    return Weights(file=path.name, kind=kind, folder=path.parent)
