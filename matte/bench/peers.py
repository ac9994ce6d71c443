"""Other programs to be timed beside matte, in environments of their own."""

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath

from matte.bench.processes import Command
from matte.configs.places import cache_folder
from matte.configs.tables import from_file, read_toml
from matte.errors import BackendError, OutputError, SettingError, install_command
from matte.files import make_folder
from matte.registry import nearest, resolve

SHIPPED = Path(__file__).with_name("peers.toml")
BIN, EXE = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
# What writes a network with random weights to a path, by the file's name in the table.
NETWORKS = {
    "u2netp.onnx": "matte.bench.u2netp:write_onnx",
    "u2netp.pth": "matte.bench.u2netp:write_checkpoint",
}
RANDOM = "random weights"
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")  # a folder in the cache is called so


@dataclass(frozen=True, slots=True)
class Peer:
    """A row of the table. In `command` and `env`, {source}, {target}, {network} and {home} stand
    for the picture, the result, the network's file, and a folder that is the peer's own.
    """

    command: tuple[str, ...]
    package: tuple[str, ...] = ()  # what pip installs; nothing: the program is on the PATH
    environment: str = ""  # another peer's, or a folder; without: its own in matte's cache
    network: str = ""  # one of NETWORKS, where the peer's own weights can't be had
    env: dict[str, str] = field(default_factory=dict)  # variables for its process
    note: str = ""  # for the table
    name: str = ""  # the table's key

    def __post_init__(self) -> None:
        if not self.command:
            raise SettingError("a peer's command is empty", "give the words that are typed")
        if self.network and self.network not in NETWORKS:
            raise SettingError(f"network = {self.network!r}", nearest(self.network, NETWORKS))


def find_peers(asked: Sequence[str]) -> list[Peer]:
    """The peers of those names; a name that ends in .toml means all that the file has."""
    known = _read(SHIPPED)
    found: dict[str, Peer] = {}
    for name in asked:
        if name.lower().endswith(".toml"):
            own = _read(Path(name))
            known |= own
            found |= own
        elif name not in known:
            remedy = f"{nearest(name, known)}; or give a TOML with it"
            raise SettingError(f"no peer {name!r}", remedy)
        else:
            found[name] = known[name]
    return [_in_environment(peer, known) for peer in found.values()]


def install(peer: Peer, tell: Callable[[str], None]) -> None:
    """Makes the peer's environment in matte's cache and installs it there, unless it is there.

    Folders that a table names are their owner's: nothing is installed into them.
    """
    if not peer.package or _is_folder(peer.environment) or _program(peer) is not None:
        return
    folder = _environment(peer)
    tell(f"installing {' '.join(peer.package)} into {folder}")
    make_folder(folder)
    try:
        venv.create(folder, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise OutputError(f"can't make an environment in {folder} ({error})") from error
    words = [str(folder / BIN / f"python{EXE}"), "-m", "pip", "install", "--quiet", *peer.package]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[-1] if said else f"pip's exit code is {done.returncode}"
        raise BackendError(f"can't install {peer.name} ({reason})", f"look into {folder}")


def command_of(peer: Peer, source: Path, target: Path) -> Command:
    """What is typed to have the peer cut out `source`; its network is made if it needs one.

    Raises if the peer is not installed.
    """
    program = _program(peer)
    if program is None:
        remedy = f"put {peer.command[0]} on the PATH"
        if peer.package:
            how = "install" if _is_folder(peer.environment) else "--install-peers puts"
            remedy = f"{how} {' '.join(peer.package)} into {_environment(peer)}"
        raise BackendError(f"peer {peer.name!r} is not installed", remedy)
    home = cache_folder() / "peers" / peer.name / "home"
    make_folder(home)
    network = home / peer.network
    if peer.network and not network.is_file():
        _write(peer.network, network)
    places = {"source": source, "target": target, "network": network, "home": home}
    words = tuple(_filled(word, places) for word in peer.command[1:])
    env = {name: _filled(value, places) for name, value in peer.env.items()}
    note = ", ".join(filter(None, (peer.note, RANDOM if peer.network else "")))
    return Command(peer.name, (program, *words), env, target, note)


def version_of(peer: Peer) -> str:
    """The version that its environment has; empty where it can't be told."""
    python = _environment(peer) / BIN / f"python{EXE}"
    if not peer.package or not python.is_file():
        return ""
    name = peer.package[0].partition("=")[0].partition("[")[0]
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run([python, "-c", code, name], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _read(toml: Path) -> dict[str, Peer]:
    rows = read_toml(toml).items()
    for name, _ in rows:
        if not NAME.fullmatch(name):
            remedy = "a name begins with a letter or digit, and has no more than those and - _ ."
            raise SettingError(f"{toml}: a peer is called {name!r}", remedy)
    return {name: replace(from_file(Peer, row, str(toml), name), name=name) for name, row in rows}


def _write(name: str, path: Path) -> None:
    """Writes a network with random weights."""
    try:
        resolve("network", NETWORKS, name)(path)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("matte"):
            raise  # our bug
        raise BackendError(f"{name} needs {error.name}", install_command("torch")) from error


def _in_environment(peer: Peer, known: Mapping[str, Peer]) -> Peer:
    """The peer with the package, and the environment, of the one that it shares them with."""
    if not peer.environment or _is_folder(peer.environment):
        return peer
    other = known.get(peer.environment)
    if other is None:
        remedy = f"{nearest(peer.environment, known)}; a folder's path has a slash in it"
        raise SettingError(f"{peer.name}: no peer {peer.environment!r} to share with", remedy)
    return replace(peer, package=other.package, environment=other.environment or other.name)


def _environment(peer: Peer) -> Path:
    """The virtual environment's folder."""
    if _is_folder(peer.environment):
        return Path(peer.environment).expanduser()
    return cache_folder() / "peers" / (peer.environment or peer.name) / "environment"


def _is_folder(environment: str) -> bool:
    """Whether it is a folder's path, and not another peer's name."""
    drive = PureWindowsPath(environment).drive
    return "/" in environment or os.sep in environment or bool(drive)


def _program(peer: Peer) -> str | None:
    """The path of what is to be run, if it is there."""
    own = _environment(peer) / BIN / f"{peer.command[0]}{EXE}"
    if own.is_file():
        return str(own)
    return None if peer.package else shutil.which(peer.command[0])


def _filled(word: str, places: Mapping[str, Path]) -> str:
    """The word with what its names in braces stand for; other braces are the word's own."""
    for name, path in places.items():
        word = word.replace(f"{{{name}}}", str(path))
    return word
