"""Find networks by name, in the files that are shipped, stored or named by the user."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from matte.configs.places import weights_folder
from matte.configs.tables import from_file, read_toml
from matte.errors import MissingWeightsError, SettingError, WeightsError
from matte.limits import (
    MAX_TRAINED_PIXELS,
    MIN_TRAINED_PIXELS,
    is_trained_size,
)
from matte.onnx_files import is_inner_path, network_digest, read_onnx_file
from matte.registry import nearest
from matte.weights.hashes import file_hash, parse_hash
from matte.weights.peer_settings import PEER_SUFFIX, PeerSettings, read_peer_settings, rule_named

SHIPPED_FOLDER = Path(__file__).parent
MANIFEST, CATALOGUE = "manifest.toml", "catalogue.toml"  # networks here; and those to be fetched
FORMER_KEYS = {"as_good_in": "accurate_precisions"}  # of users' own manifests


@dataclass(frozen=True, slots=True)
class Weights:
    """One network's files and facts: a row of a manifest, or a file that the user named."""

    file: str
    kind: str  # segmenter, refiner or modnet
    # Of the file, with its external data if it has any; or as many digits as its publisher names.
    sha256: str = ""
    size: int = 0  # long side (a MODNet's: short side) that it was trained at; 0: its file says it
    bytes_per_pixel: int = 0  # of memory, for its input; 0: about as most networks
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
    people_only: bool = False  # whether it sees nothing else
    weaknesses: tuple[str, ...] = ()
    failures: str = ""  # what the picture of failures shows, and whose it is
    origin: str = ""  # of those that matte did not train
    licence: str = ""
    non_commercial: bool = False  # whether that permits nothing else
    bytes: int = 0  # of the file, of those that can be fetched; 0: unknown
    url: str = ""  # where it can be fetched, if it is not shipped
    published_hash: str = ""  # by its publisher, with the algorithm: "md5:8e83…"
    source: str = ""  # where the address, the hash and the licence were read
    rule: str = ""  # the name of what it takes and gives, of rules.toml
    peer: PeerSettings | None = None  # what it takes and gives, unless that is as matte has it
    folder: Path = SHIPPED_FOLDER
    is_stranger: bool = False  # a file that nobody whom matte knows has published

    def __post_init__(self) -> None:
        if self.size != 0 and not is_trained_size(self.size):
            allowed = f"{MIN_TRAINED_PIXELS} … {MAX_TRAINED_PIXELS}"
            raise SettingError(f"size = {self.size}", f"give 0, or {allowed}")
        for key in ("file", "int8", "checkpoint"):
            name = getattr(self, key)
            if (name or key == "file") and not is_inner_path(name):
                raise SettingError(f"{key} = {name!r}", "name a file in the manifest's folder")
        if self.published_hash:
            parse_hash(self.published_hash)

    @property
    def expected_hash(self) -> str:
        """The hash of the file, with its algorithm: its own, else the published one, else ""."""
        return f"sha256:{self.sha256}" if self.sha256 else self.published_hash

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
                found = file_hash(path)
            except OSError as error:
                raise MissingWeightsError(
                    f"can't read {path} ({error.strerror})", remedy
                ) from error
            if not found.startswith(digest):
                raise MissingWeightsError(f"{path} is damaged", remedy)


def all_weights() -> dict[str, Weights]:
    """Return the shipped networks, the user's, and those that can be fetched, by name."""
    return _read_rows(SHIPPED_FOLDER / CATALOGUE) | listed_weights()


def listed_weights() -> dict[str, Weights]:
    """Return the shipped networks and those that the user's store lists, by name."""
    return _read_rows(SHIPPED_FOLDER / MANIFEST) | _read_rows(weights_folder() / MANIFEST)


def _read_rows(file: Path) -> dict[str, Weights]:
    """Return the networks of a manifest by name; none where there is no file."""
    found: dict[str, Weights] = {}
    for name, row in (read_toml(file) if os.path.isfile(file) else {}).items():
        if isinstance(row, Mapping):  # else the next line says what is wrong
            row = {FORMER_KEYS.get(key, key): value for key, value in row.items()}
        weights = from_file(Weights, row, str(file), name)
        if weights.rule and weights.peer is None:
            weights = replace(weights, peer=rule_named(weights.rule).peer)
        algorithm, _, digest = weights.published_hash.partition(":")
        if algorithm == "sha256" and not weights.sha256:
            weights = replace(weights, sha256=digest)
        found[name] = replace(weights, folder=weights_folder() if weights.url else file.parent)
    return found


def weights_named(name: str) -> Weights:
    """Return the network of a name, of whatever kind; raise WeightsError if there is none."""
    known = all_weights()
    if name not in known:
        raise WeightsError(f"no network {name!r}", nearest(name, known))
    return known[name]


def storage_status(weights: Weights) -> str:
    """Return whether a network is "shipped", "stored", "not fetched" or "missing".

    A file of whose hash nothing is known was not fetched by matte.
    """
    if weights.folder == SHIPPED_FOLDER:
        return "shipped"
    if os.path.isfile(weights.path) and (weights.sha256 or not weights.url):
        return "stored"
    return "not fetched" if weights.url else "missing"


def find_weights(kind: str, name: str, others: Iterable[str] = ()) -> Weights:
    """Return the network that `name` means: a stored one of that kind, an ONNX file, or a TOML.

    A TOML names an ONNX file, and says what the network takes and gives. Other people's segmenters
    find alpha without a trimap, too. `others` are names that could have been meant besides.
    """
    everything = listed_weights()
    if name not in everything:  # the catalogue is read only where it is needed
        everything = all_weights()
    known = {n: w for n, w in everything.items() if _can_be(w, kind)}
    if name in known and storage_status(known[name]) == "not fetched":
        raise MissingWeightsError(f"{name!r} is not here", f"run 'matte weights download {name}'")
    if name in known:
        known[name].check()
        return _as_stored(known[name])
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


def _can_be(weights: Weights, kind: str) -> bool:
    """Return whether a network can be used as a segmenter, a refiner or a MODNet."""
    finds_alpha = weights.kind == "segmenter" and weights.peer is not None
    return weights.kind == kind or (kind == "modnet" and finds_alpha)


def _as_stored(weights: Weights) -> Weights:
    """Return stored weights by the hash of all that is read of them; shipped ones are one file.

    One that was fetched and whose publisher names no hash is a stranger.
    """
    if weights.folder == SHIPPED_FOLDER:
        return weights
    unchecked = bool(weights.url) and not weights.published_hash
    return replace(weights, sha256=network_digest(weights.path), is_stranger=unchecked)
