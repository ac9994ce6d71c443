"""Small networks, the same in every run, on one thread."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def _seeded() -> None:
    torch.manual_seed(1)


@pytest.fixture(autouse=True, scope="session")
def _threads() -> Iterator[None]:
    """What the tests behind these ones find is what was there before."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _one_thread(_threads: None) -> None:
    """Networks this small lose more at the threads' barriers than they gain, above all on a
    machine that does other work at the same time. For each test again: a network that runs by
    torch sets the number for the whole process.
    """
    torch.set_num_threads(1)
