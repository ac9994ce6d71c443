"""Small networks, the same in every run, on one thread."""

from collections.abc import Iterator

import pytest
import torch


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
