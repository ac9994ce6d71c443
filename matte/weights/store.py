"""Find networks by name, in the files that are shipped, stored or named by the user."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matte.configs.places import weights_folder
from matte.configs.tables import from_file, read_toml
from matte.errors import MissingWeightsError, SettingError, WeightsError
from matte.files import write_pending
from matte.limits import (
    MAX_TRAINED_PIXELS,
    MIN_TRAINED_PIXELS,
    is_trained_size,
)
from matte.onnx_files import is_inner_path, network_digest, read_onnx_file
from matte.placement import pending_file, place_files, remove_quietly
from matte.registry import nearest
from matte.weights.peer_settings import PEER_SUFFIX, PeerSettings, read_peer_settings

if TYPE_CHECKING:
    from matte.stages import Progress

SHIPPED_FOLDER = Path(__file__).parent
FORMER_KEYS = {"as_good_in": "accurate_precisions"}  # of users' own manifests


@dataclass(frozen=True, slots=True)
class Weights:
    """One network's files and facts: a row of a manifest, or a file that the user named."""

    file: str
    kind: str  # segmenter, refiner or modnet
    # Of the file, with its external data if it has any; or as many digits as its publisher names.
    sha256: str = ""
    size: int = 0  # long side (a MODNet's: short side) that it was trained at; 0: its file says it
    accurate_precisions: tuple[
        str, ...
    ] = ()  # precisions that cost nothing: benchmarks/precision.py
    int8: str = ""  # the same network's file, quantised
    int8_sha256: str = ""  # of that
    checkpoint: str = ""  # the same network as torch weights, where there are any
    architecture: str = ""
    parameters: int = 0  # what was trained
    values: int = 0  # and with it the norms' running statistics
    recipe: str = ""  # of matte/configs/recipes, or a TOML file
    start: str = ""  # what the training started from, and its licence
    command: str = ""  # that trained it
    steps: int = 0  # of the checkpoint that this is
    time: str = ""  # that they took, and on what
    weaknesses: tuple[str, ...] = ()
    failures: str = ""  # what the picture of failures shows, and whose it is
    origin: str = ""  # of those that matte did not train
    licence: str = ""
    bytes: int = 0  # of the file, of those that can be fetched; 0: unknown
    url: str = ""  # where it can be fetched, if it is not shipped
    folder: Path = SHIPPED_FOLDER
    is_stranger: bool = False  # a file that no manifest knows by its hash
    peer: PeerSettings | None = None  # what it takes and gives, unless that is as matte has it

    def __post_init__(self) -> None:
        if self.size != 0 and not is_trained_size(self.size):
            allowed = f"{MIN_TRAINED_PIXELS} … {MAX_TRAINED_PIXELS}"
            raise SettingError(f"size = {self.size}", f"give 0, or {allowed}")
        for key in ("file", "int8", "checkpoint"):
            name = getattr(self, key)
            if (name or key == "file") and not is_inner_path(name):
                raise SettingError(f"{key} = {name!r}", "name a file in the manifest's folder")

    @property
    def torch_path(self) -> Path | None:
        """The path of the torch weights; None if there are none."""
        return self.folder / self.checkpoint if self.checkpoint else None

    @property
    def int8_path(self) -> Path | None:
        """The path of the quantised network; None if there is none."""
        return self.folder / self.int8 if self.int8 else None

    @property
    def path(self) -> Path:
        """The path where the ONNX file should lie."""
        return self.folder / self.file

    def check(self) -> None:
        """Raise MissingWeightsError unless the files are there and have the manifest's hashes."""
        remedy = "install matte again" if self.folder == SHIPPED_FOLDER else "store it again"
        files = {self.path: self.sha256}
        if self.int8_path is not None:
            files[self.int8_path] = self.int8_sha256
        for path, digest in files.items():
            try:
                data = path.read_bytes()
            except OSError as error:
                raise MissingWeightsError(
                    f"can't read {path} ({error.strerror})", remedy
                ) from error
            if not hashlib.sha256(data).hexdigest().startswith(digest):
                raise MissingWeightsError(f"{path} is damaged", remedy)


def all_weights() -> dict[str, Weights]:
    """Return the shipped and the user's networks by name."""
    found: dict[str, Weights] = {}
    for folder in (SHIPPED_FOLDER, weights_folder()):
        manifest = folder / "manifest.toml"
        if not os.path.isfile(manifest):
            continue
        for name, row in read_toml(manifest).items():
            if isinstance(row, Mapping):  # else the next line says what is wrong
                row = {FORMER_KEYS.get(key, key): value for key, value in row.items()}
            weights = from_file(Weights, row, str(manifest), name)
            found[name] = replace(weights, folder=weights_folder() if weights.url else folder)
    return found


def weights_named(name: str) -> Weights:
    """Return the network of a name, of whatever kind; raise WeightsError if there is none."""
    known = all_weights()
    if name not in known:
        raise WeightsError(f"no network {name!r}", nearest(name, known))
    return known[name]


def storage_status(weights: Weights) -> str:
    """Return whether a network is "shipped", "stored", "not fetched" or "missing"."""
    if weights.folder == SHIPPED_FOLDER:
        return "shipped"
    if os.path.isfile(weights.path):
        return "stored"
    return "not fetched" if weights.url else "missing"


def fetch_weights(name: str, url: str, progress: "Progress") -> Path:
    """Download a network that matte knows an address of, and return its path."""
    weights = weights_named(name)
    address = url or weights.url
    if not address:
        raise WeightsError(f"{name!r} has no address", "it is here already, or name one with --url")
    if not os.path.isfile(weights.path):
        from matte.weights.download import download  # with the whole of urllib

        download(address, weights.path, weights.sha256, progress, weights.bytes)
    return weights.path


def register_weights(
    name: str, weights: Weights, files: Iterable[Path] = (), overwrite: bool = True
) -> None:
    """Add a network to the manifest of the user's store, and move its files there; or do neither.

    `files` lie in a folder on the store's disk, under the names that they get. A network that had
    the name loses its files, unless other networks have them, too.
    """
    folder = weights_folder()
    manifest = folder / "manifest.toml"
    rows = read_toml(manifest) if os.path.isfile(manifest) else {}
    former = _file_names(rows.get(name))
    row = {
        f.name: getattr(weights, f.name)
        for f in fields(Weights)
        if f.name not in ("folder", "peer", "is_stranger")
    }
    rows[name] = {key: value for key, value in row.items() if value}
    with ExitStack() as remaining:
        pending = [
            replace(pending_file(folder / file.name, overwrite), temporary=file) for file in files
        ]
        listing = pending_file(manifest, overwrite=True)
        write_pending(listing, _format_toml(rows).encode(), remaining)
        place_files([*pending, listing])
    for file in former - set[str]().union(*map(_file_names, rows.values())):
        remove_quietly(folder / file)


def _file_names(row: object) -> set[str]:
    """Return the files in its folder that a row of a manifest names."""
    values = row if isinstance(row, Mapping) else {}
    names = (values.get(key) for key in ("file", "int8", "checkpoint"))
    return {name for name in names if isinstance(name, str) and name == Path(name).name != ""}


def _format_toml(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return tables of strings and numbers, and of tables of those, as TOML."""
    lines = []
    for name, row in rows.items():
        lines.append(f"[{json.dumps(name)}]")
        for key, value in row.items():
            inner = value.items() if isinstance(value, Mapping) else None
            plain = (
                "{ " + ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in inner) + " }"
                if inner
                else ""
            )
            lines.append(f"{key} = {plain or json.dumps(value, ensure_ascii=False)}")
        lines.append("")
    return "\n".join(lines)


def find_weights(kind: str, name: str, others: Iterable[str] = ()) -> Weights:
    """Return the network that `name` means: a stored one of that kind, an ONNX file, or a TOML.

    A TOML names an ONNX file, and says what the network takes and gives.

    `others` are names that could have been meant besides.
    """
    everything = all_weights()
    known = {n: w for n, w in everything.items() if w.kind == kind}
    if name in known and storage_status(known[name]) == "not fetched":
        raise MissingWeightsError(f"{name!r} is not here", f"run 'matte weights download {name}'")
    if name in known:
        known[name].check()
        return _with_external_data(known[name])
    path = Path(name)
    if not (path.suffix or os.path.lexists(path)):
        names = [*known, *others]
        hint = nearest(name, names) if names else "none is stored"
        raise WeightsError(f"no {kind} {name!r}", f"{hint}; or give an ONNX file")
    peer = None
    if path.suffix.lower() == PEER_SUFFIX:
        peer = read_peer_settings(path)
        path = path.parent / peer.file
    found = read_onnx_file(path)
    hashes = {digest for w in everything.values() for digest in (w.sha256, w.int8_sha256)}
    return Weights(
        path.name,
        kind,
        sha256=found.digest,
        folder=path.parent,
        is_stranger=found.digest not in hashes,
        peer=peer,
    )


def _with_external_data(weights: Weights) -> Weights:
    """Return stored weights by the hash of all that is read of them; shipped ones are one file."""
    if weights.folder == SHIPPED_FOLDER:
        return weights
    return replace(weights, sha256=network_digest(weights.path))
