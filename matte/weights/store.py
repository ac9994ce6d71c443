"""Which networks there are, and where their files lie."""

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from matte.configs.places import stored_weights
from matte.configs.tables import from_file, read_toml
from matte.errors import SettingError, WeightsError
from matte.registry import nearest

SHIPPED = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Weights:
    """One network: a row of a manifest, or a file that the user named."""

    file: str
    kind: str  # segmenter, refiner or modnet
    sha256: str = ""
    size: int = 0  # long side that it was trained at; 0: its file tells
    architecture: str = ""
    parameters: int = 0
    origin: str = ""
    licence: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    folder: Path = SHIPPED

    def __post_init__(self) -> None:
        if not (self.size == 0 or 32 <= self.size <= 4096):
            raise SettingError(f"size = {self.size}", "give 0, or 32 … 4096")

    @property
    def path(self) -> Path:
        """Where the file should lie."""
        return self.folder / self.file

    def check(self) -> None:
        """Raises unless the file is there and is the one that the manifest means."""
        remedy = "install matte again" if self.folder == SHIPPED else "store it again"
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise WeightsError(f"can't read {self.path} ({error.strerror})", remedy) from error
        if self.sha256 and hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsError(f"{self.path} is damaged", remedy)


def all_weights() -> dict[str, Weights]:
    """The shipped and the user's networks by name."""
    found: dict[str, Weights] = {}
    for folder in (SHIPPED, stored_weights()):
        manifest = folder / "manifest.toml"
        if not os.path.isfile(manifest):
            continue
        for name, row in read_toml(manifest).items():
            found[name] = replace(from_file(Weights, row, str(manifest), name), folder=folder)
    return found


def find(kind: str, name: str) -> Weights:
    """The network that `name` means: a stored one of that kind, or an ONNX file."""
    known = {n: w for n, w in all_weights().items() if w.kind == kind}
    if name in known:
        known[name].check()
        return known[name]
    path = Path(name)
    if not (path.suffix or os.path.lexists(path)):
        hint = nearest(name, known) if known else "none is stored"
        raise WeightsError(f"no {kind} {name!r}", f"{hint}; or give an ONNX file")
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WeightsError(f"can't read {path} ({reason})", "name an ONNX file") from error
    if not _is_onnx(data):
        raise WeightsError(
            f"{path} is not a whole ONNX file", f"give the name of a {kind} or its .onnx"
        )
    return Weights(file=path.name, kind=kind, folder=path.parent)


GRAPH = 7  # the field of a protobuf ModelProto that holds the graph


def _is_onnx(data: bytes) -> bool:
    """Whether the bytes are fields of protobuf from end to end, a graph among them.

    Runtimes guess at other files, and print what they think of them.
    """
    at, fields = 0, set()
    try:
        while at < len(data):
            tag, at = _varint(data, at)
            fields.add(tag >> 3)
            if tag & 7 == 0:
                _, at = _varint(data, at)
            elif tag & 7 == 2:
                length, at = _varint(data, at)
                at += length
            else:
                return False
    except IndexError:
        return False
    return at == len(data) and GRAPH in fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A protobuf number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise IndexError
