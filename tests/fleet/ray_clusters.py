"""A Ray cluster of this machine: a head without workers, and two machines of one processor each."""

import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matte.fleet.cluster import ENVIRONMENT, import_ray

LIMIT_SECONDS = 240.0


@dataclass
class LocalCluster:
    """What is running, and the processes in it."""

    cluster: Any
    client_port: int
    nodes: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    @property
    def client_address(self) -> str:
        return f"ray://127.0.0.1:{self.client_port}"

    def fill_up(self) -> None:
        """Starts machines until there are two."""
        while len(self.nodes) < 2:
            self.nodes.append(self.cluster.add_node(num_cpus=1))
        self.cluster.wait_for_nodes()

    def actors(self) -> list[int]:
        """Returns the processes of the workers."""
        return actors_below(os.getpid())

    def kill_machine(self) -> None:
        """Ends all processes of a machine at once, as if it had lost its power."""
        node = self.nodes.pop()
        (raylet,) = node.all_processes["raylet"]
        pid = raylet.process.pid
        os.kill(pid, signal.SIGSTOP)  # it begins no other
        for child in descendants(pid):
            os.kill(child, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        self.cluster.remove_node(node, allow_graceful=False)


@contextmanager
def local_cluster() -> Iterator[LocalCluster]:
    """Yields a cluster that is running."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import_ray()
    utilities = importlib.import_module("ray.cluster_utils")
    port = free_port()
    head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": port}
    running = LocalCluster(utilities.Cluster(initialize_head=True, head_node_args=head), port)
    try:
        running.fill_up()
        yield running
    finally:
        running.cluster.shutdown()
        running.cluster, running.nodes = None, []
        with warnings.catch_warnings():  # Ray leaves files open, and processes unasked for
            warnings.simplefilter("ignore")
            gc.collect()


def start_fleet(*words: str | Path) -> subprocess.Popen[str]:
    """Starts `matte fleet` with these words."""
    return subprocess.Popen(
        [sys.executable, "-m", "matte", "fleet", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_fleet(process: subprocess.Popen[str]) -> str:
    """Returns what a run that ends well wrote to standard error."""
    _, written = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, written
    return written


def wait_for(
    condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = LIMIT_SECONDS
) -> None:
    """Waits until a condition holds, or the process has ended."""
    until = time.monotonic() + seconds
    while not condition() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)


def processes() -> list[tuple[int, int, str]]:
    """Returns number, parent and command line of all processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        found.append((int(folder.name), int(parent), line))
    return found


def descendants(pid: int) -> list[int]:
    """Returns the children of a process, and theirs."""
    children = [child for child, parent, _ in processes() if parent == pid]
    return [found for child in children for found in (child, *descendants(child))]


def actors_below(pid: int) -> list[int]:
    """Returns the workers that a process has begun, or one below it."""
    below = set(descendants(pid))
    return [found for found, _, line in processes() if found in below and is_worker(line)]


def is_worker(line: str) -> bool:
    """Returns whether a command line is that of an actor that does blocks."""
    return line.startswith("ray::MapWorker")


def free_port() -> int:
    """Returns a port that nobody listens at, outside of those that Ray's workers get."""
    while True:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port: int = found.getsockname()[1]
        if port > 20000:
            return port


def results(folder: Path) -> dict[str, bytes]:
    """Returns the results in and below a folder, by name, without tables and run files.

    What a killed process was writing stays under a temporary name, which is no result's.
    """
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix not in (".parquet", ".jsonl")
        and not path.name.startswith(".matte-")
    }
