"""Small networks, the same in every run, on one thread; and what takes long to export."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.commands import run
from tests.conftest import SharedFolder
from tests.conversion.exports import NetworkExports
from tests.modnet.official import released_state
from tests.official import official_gca


@pytest.fixture(autouse=True, scope="module")
def _seeded() -> None:
    torch.manual_seed(1)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Networks this small lose more at the threads' barriers than they gain, above all on a
    machine that does other work at the same time.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _one_thread_again(_one_thread: None) -> Iterator[None]:
    """A network that runs by torch sets the number for the whole process."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def exports(shared_folder: SharedFolder) -> NetworkExports:
    return NetworkExports(shared_folder)


@pytest.fixture(scope="session")
def gca_home(shared_folder: SharedFolder) -> Path:
    """A MATTE_HOME into which the command imported the official GCA as my-gca."""

    def checkpoint() -> dict[str, Any]:
        return {
            "state_dict": {f"module.{key}": value for key, value in official_gca().items()},
            "epoch": 3,
        }

    return shared_folder("official-gca", lambda home: _import(home, "my-gca", checkpoint))


@pytest.fixture(scope="session")
def modnet_home(shared_folder: SharedFolder) -> Path:
    """A MATTE_HOME into which the command imported the official MODNet as my-modnet."""
    return shared_folder("official-modnet", lambda home: _import(home, "my-modnet", released_state))


def _import(home: Path, name: str, checkpoint: Callable[[], dict[str, Any]]) -> None:
    """Imports a checkpoint in torch's old format; what was said is left in said.txt."""
    file = home / "official.ckpt"
    torch.save(checkpoint(), file, _use_new_zipfile_serialization=name == "my-gca")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATTE_HOME", str(home))
        done = run("weights", "import", file, "--as", name)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{name}: ")
    (home / "said.txt").write_text(done.stdout)
    file.unlink()
