"""Install and call the other programs that are timed beside matte."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath

from matte.bench.process_timing import Command
from matte.configs.places import cache_folder
from matte.configs.tables import from_file, read_toml
from matte.errors import BackendError, OutputError, SettingError, install_command
from matte.files import make_folder
from matte.registry import nearest, resolve

SHIPPED_PEERS = Path(__file__).with_name("peers.toml")
SCRIPTS_FOLDER, PROGRAM_SUFFIX = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
# What writes a network with random weights to a path, by the file's name in the table.
RANDOM_NETWORKS = {
    "u2netp.onnx": "matte.bench.u2netp:write_onnx",
    "u2netp.pth": "matte.bench.u2netp:write_checkpoint",
}
RANDOM_NOTE = "random weights"
VALID_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")  # a folder in the cache is called so


@dataclass(frozen=True, slots=True)
class BenchPeer:
    """A program that is timed beside matte: a row of the peers' table.

    In `command` and `env`, {source}, {target}, {network} and {home} stand for the picture, the
    result, the network's file, and a folder that is the peer's own.
    """

    command: tuple[str, ...]
    package: tuple[str, ...] = ()  # what pip installs; nothing: the program is on the PATH
    environment: str = ""  # another peer's, or a folder; without: its own in matte's cache
    network: str = ""  # one of NETWORKS, where the peer's own weights can't be had
    env: dict[str, str] = field(default_factory=dict)  # variables for its process
    note: str = ""  # for the table
    name: str = ""  # the table's key
    table: str = ""  # the file with it, if that is the user's own

    def __post_init__(self) -> None:
        if not self.command:
            raise SettingError("a peer's command is empty", "give the words that are typed")
        if self.network and self.network not in RANDOM_NETWORKS:
            raise SettingError(
                f"network = {self.network!r}", nearest(self.network, RANDOM_NETWORKS)
            )


def find_peers(asked: Sequence[str]) -> list[BenchPeer]:
    """Return the peers of those names; a name that ends in .toml stands for all in that file."""
    known = _read_peers(SHIPPED_PEERS)
    found: dict[str, BenchPeer] = {}
    for name in asked:
        if name.lower().endswith(".toml"):
            own = {key: replace(peer, table=name) for key, peer in _read_peers(Path(name)).items()}
            known |= own
            found |= own
        elif name not in known:
            remedy = f"{nearest(name, known)}; or give a TOML with it"
            raise SettingError(f"no peer {name!r}", remedy)
        else:
            found[name] = known[name]
    return [_with_shared_environment(peer, known) for peer in found.values()]


def announcement(peer: BenchPeer) -> str:
    """Return what a table of the user's own makes the benchmark run; empty for shipped rows."""
    if not peer.table:
        return ""
    variables = [f"{name}={value}" for name, value in peer.env.items()]
    return f"{peer.table} runs {peer.name}: {shlex.join([*variables, *peer.command])}"


def install_peer(peer: BenchPeer, report: Callable[[str], None]) -> None:
    """Install a peer into an environment of its own in matte's cache, unless it is there.

    Folders that a table names are their owner's: nothing is installed into them.
    """
    if not peer.package or _is_folder_path(peer.environment) or _find_program(peer) is not None:
        return
    folder = _environment_folder(peer)
    report(f"installing {' '.join(peer.package)} into {folder}")
    make_folder(folder)
    try:
        venv.create(folder, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise OutputError(f"can't make an environment in {folder} ({error})") from error
    words = [
        str(folder / SCRIPTS_FOLDER / f"python{PROGRAM_SUFFIX}"),
        "-m",
        "pip",
        "install",
        "--quiet",
        *peer.package,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[-1] if said else f"pip's exit code is {done.returncode}"
        raise BackendError(f"can't install {peer.name} ({reason})", f"look into {folder}")


def peer_command(peer: BenchPeer, source: Path, target: Path) -> Command:
    """Return the command by which a peer cuts out `source`; its network is written if needed.

    Raises if the peer is not installed.
    """
    program = _find_program(peer)
    if program is None:
        remedy = f"put {peer.command[0]} on the PATH"
        if peer.package:
            how = "install" if _is_folder_path(peer.environment) else "--install-peers puts"
            remedy = f"{how} {' '.join(peer.package)} into {_environment_folder(peer)}"
        raise BackendError(f"peer {peer.name!r} is not installed", remedy)
    home = cache_folder() / "peers" / peer.name / "home"
    make_folder(home)
    network = home / peer.network
    if peer.network and not network.is_file():
        _write_random_network(peer.network, network)
    places = {"source": source, "target": target, "network": network, "home": home}
    words = tuple(_fill_places(word, places) for word in peer.command[1:])
    env = {name: _fill_places(value, places) for name, value in peer.env.items()}
    note = ", ".join(filter(None, (peer.note, RANDOM_NOTE if peer.network else "")))
    return Command(peer.name, (program, *words), env, target, note)


def peer_version(peer: BenchPeer) -> str:
    """Return a peer's installed version; empty where it is not known."""
    python = _environment_folder(peer) / SCRIPTS_FOLDER / f"python{PROGRAM_SUFFIX}"
    if not peer.package or not python.is_file():
        return ""
    name = peer.package[0].partition("=")[0].partition("[")[0]
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run([python, "-c", code, name], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _read_peers(toml: Path) -> dict[str, BenchPeer]:
    """Return the peers of a TOML file by name; raise SettingError for unusable names."""
    rows = read_toml(toml).items()
    for name, _ in rows:
        if not VALID_NAME.fullmatch(name):
            remedy = "a name begins with a letter or digit, and has no more than those and - _ ."
            raise SettingError(f"{toml}: a peer is called {name!r}", remedy)
    return {
        name: replace(from_file(BenchPeer, row, str(toml), name), name=name) for name, row in rows
    }


def _write_random_network(name: str, path: Path) -> None:
    """Write a network with random weights to a path, by its file name in RANDOM_NETWORKS."""
    try:
        resolve("network", RANDOM_NETWORKS, name)(path)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("matte"):
            raise  # our bug
        raise BackendError(f"{name} needs {error.name}", install_command("torch")) from error


def _with_shared_environment(peer: BenchPeer, known: Mapping[str, BenchPeer]) -> BenchPeer:
    """Return a peer with the package and environment of the peer that it shares them with."""
    if not peer.environment or _is_folder_path(peer.environment):
        return peer
    other = known.get(peer.environment)
    if other is None:
        remedy = f"{nearest(peer.environment, known)}; a folder's path has a slash in it"
        raise SettingError(f"{peer.name}: no peer {peer.environment!r} to share with", remedy)
    return replace(peer, package=other.package, environment=other.environment or other.name)


def _environment_folder(peer: BenchPeer) -> Path:
    """Return the folder of a peer's virtual environment."""
    if _is_folder_path(peer.environment):
        return Path(peer.environment).expanduser()
    return cache_folder() / "peers" / (peer.environment or peer.name) / "environment"


def _is_folder_path(environment: str) -> bool:
    """Return whether `environment` is a folder's path, not another peer's name."""
    drive = PureWindowsPath(environment).drive
    return "/" in environment or os.sep in environment or bool(drive)


def _find_program(peer: BenchPeer) -> str | None:
    """Return the path of a peer's program; None if it is not installed."""
    own = _environment_folder(peer) / SCRIPTS_FOLDER / f"{peer.command[0]}{PROGRAM_SUFFIX}"
    if own.is_file():
        return str(own)
    return None if peer.package else shutil.which(peer.command[0])


def _fill_places(word: str, places: Mapping[str, Path]) -> str:
    """Return a word with {source} and its like replaced by paths; other braces stay."""
    for name, path in places.items():
        word = word.replace(f"{{{name}}}", str(path))
    return word
