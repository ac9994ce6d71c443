import re
import sys
from pathlib import Path

import pytest

from matte.bench.peers import (
    SHIPPED_PEERS,
    announcement,
    find_peers,
    install_peer,
    peer_command,
    peer_version,
)
from matte.bench.process_timing import run_once
from matte.configs.places import cache_folder
from matte.configs.tables import read_toml
from matte.errors import BackendError, MatteError, SettingError

COPY = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A peer that copies the picture, and says where its home is."""
    toml = tmp_path / "mine.toml"
    toml.write_text(
        f"[copy]\ncommand = [{sys.executable!r}, '-c', '{COPY}', '{{source}}', '{{target}}',"
        " '{\"home\": \"{home}\"}']\nenv = { COPY_HOME = '{home}/x' }\nnote = 'nothing done'\n"
    )
    return toml


def test_a_peer_of_ones_own_runs(table: Path, tmp_path: Path) -> None:
    (peer,) = find_peers([str(table)])
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    source.write_bytes(b"picture")
    command = peer_command(peer, source, target)
    assert (command.name, command.note) == ("copy", "nothing done")
    home = command.env["COPY_HOME"].removesuffix("/x")
    assert command.words[-1] == f'{{"home": "{home}"}}'  # other braces are the word's own
    assert Path(home).is_dir()
    run_once(command)
    assert target.read_bytes() == b"picture"


def test_the_shipped_ones_say_how_they_are_installed(tmp_path: Path) -> None:
    names = list(read_toml(SHIPPED_PEERS))
    peers = find_peers(names)
    assert [peer.name for peer in peers] == names
    for peer in peers:
        assert re.fullmatch(r"[a-z]+(\[[a-z,]+\])?==[\d.]+", peer.package[0])
        assert "{source}" in peer.command
        assert "{target}" in peer.command
        assert peer_version(peer) == ""
        with pytest.raises(BackendError, match=f"peer '{peer.name}' is not installed: --install"):
            peer_command(peer, tmp_path, tmp_path)


def test_peers_may_share_an_environment() -> None:
    plain, matting = find_peers(["rembg", "rembg-a"])
    assert matting.package == plain.package
    assert matting.environment == plain.name


def test_a_table_of_ones_own_goes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[rembg]\ncommand = ['python3']\n")
    (peer,) = find_peers([str(tmp_path / "own.toml")])
    assert peer.command == ("python3",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\ncommand = []", "mine.toml: a peer's command is empty"),
        ("[a]\nnote = 'x'", "mine.toml: a is not complete"),
        ("[a]\ncommand = ['x']\nnetwork = 'resnet'", "network = 'resnet'"),
        ("[a]\ncommand = ['x']\ncolour = 'red'", "no setting 'colour' in a"),
        ("[a]\ncommand = ['x']\nenvironment = 'rembgg'", "a: no peer 'rembgg' to share with"),
        ("[a]\ncommand = ['x']\nenvironment = '..'", "a: no peer '..' to share with"),
        ("['..']\ncommand = ['x']", "mine.toml: a peer is called '..'"),
        ("['a/b']\ncommand = ['x']", "mine.toml: a peer is called 'a/b'"),
        ("a = 1", "a = 1 is not a table"),
        ("[a", "is not TOML"),
    ],
)
def test_mistakes_in_a_table(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SettingError, match=re.escape(message)):
        find_peers([str(tmp_path / "mine.toml")])


def test_names_that_are_not_known() -> None:
    with pytest.raises(SettingError, match="no peer 'rembgg': did you mean 'rembg'"):
        find_peers(["rembgg"])
    with pytest.raises(SettingError, match=r"can't read none\.toml"):
        find_peers(["none.toml"])


def test_what_can_not_be_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "own.toml").write_text("[a]\ncommand = ['a']\npackage = ['no-such-package']\n")
    (peer,) = find_peers([str(tmp_path / "own.toml")])
    told: list[str] = []
    with pytest.raises(MatteError, match=r"can't install a \(ERROR: No matching distribution"):
        install_peer(peer, told.append)
    assert told == [f"installing no-such-package into {cache_folder()}/peers/a/environment"]


@pytest.mark.parametrize("folder", ["C:/envs/rembg", r"C:\envs\rembg", "envs/rembg"])
def test_a_path_of_any_system_is_ones_own_folder(tmp_path: Path, folder: str) -> None:
    (tmp_path / "own.toml").write_text(
        f"[a]\ncommand = ['a']\npackage = ['b==1']\nenvironment = '{folder}'\n"
    )
    (peer,) = find_peers([str(tmp_path / "own.toml")])
    told: list[str] = []
    install_peer(peer, told.append)
    assert told == []


def test_nothing_is_installed_into_ones_own_folders(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "precious").touch()
    (tmp_path / "own.toml").write_text(
        f"[a]\ncommand = ['a']\npackage = ['b==1']\nenvironment = '{folder}'\n"
    )
    (peer,) = find_peers([str(tmp_path / "own.toml")])
    told: list[str] = []
    install_peer(peer, told.append)
    assert (told, [path.name for path in folder.iterdir()]) == ([], ["precious"])
    with pytest.raises(BackendError, match=f"not installed: install b==1 into {folder}"):
        peer_command(peer, tmp_path, tmp_path)


def test_a_table_of_ones_own_is_announced_with_what_it_runs(table: Path) -> None:
    (own,), (shipped,) = find_peers([str(table)]), find_peers(["rembg"])
    said = announcement(own)
    assert said.startswith(f"{table} runs copy: 'COPY_HOME={{home}}/x' {sys.executable} -c 'import")
    assert announcement(shipped) == ""
