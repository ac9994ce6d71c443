"""A Ray cluster whose actors do the blocks, by Ray Data. The only module that imports Ray."""

import importlib
import logging
import os
import pickle
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import cv2

from matte.errors import BackendError, MatteError, SettingError, install_command
from matte.fleet.checks import (
    ClusterProbe,
    MachineReport,
    choose_all_executions,
    examine_machine,
)
from matte.fleet.items import FleetBlock
from matte.fleet.request import FleetRequest
from matte.fleet.rows import ResultRow, rows_as_json, rows_from_json
from matte.fleet.run import WorkersLostError
from matte.fleet.worker import BlockWorker
from matte.pipeline.executions import Executions
from matte.runtime.threads import usable_threads

# An actor has its next blocks at hand when it ends one; it begins none of them before.
BLOCKS_AT_HAND = 3
# Ray's own values, where the user's environment has none: it reports to nobody, and doesn't print
# what its machines log.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
# `ray start` asks for a token, which Ray's client sends only if it is told so.
CLIENT_ENVIRONMENT = {"RAY_AUTH_MODE": "token"}
CLIENT = "ray://"
# The server of Ray's client forks for each program, and what it forks hangs now and then.
CLIENT_ATTEMPTS = 3
PORT_SECONDS = 10.0
CALL_ATTEMPTS, DEATH_SECONDS = 3, 8.0


@dataclass(frozen=True, slots=True)
class WorkerSize:
    """How many workers there are, and what each takes of a machine.

    `count` 0: as many as there is room for.
    """

    count: int = 0
    processors: int = 1
    gpus: float = 0.0


class BlockActor:
    """What Ray Data makes in each worker: rows of blocks, both as bytes."""

    def __init__(self, request: bytes) -> None:
        asked: FleetRequest = pickle.loads(request)
        threads = asked.variants[0].settings.config.runtime.threads
        if threads is not None:
            cv2.setNumThreads(threads)
        self._worker = BlockWorker(asked)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the rows of each block of a batch."""
        blocks = [pickle.loads(data) for data in batch["block"]]
        return {
            "name": [block.name for block in blocks],
            "rows": [rows_as_json(self._worker.rows(block)) for block in blocks],
        }


class RemoteDriver:
    """Runs Ray Data inside the cluster, for a program that is outside, by Ray's client."""

    def __init__(self, request: bytes, blocks: Sequence[bytes], size: WorkerSize) -> None:
        self._rows = _dataset_rows(request, blocks, size)

    def next(self) -> tuple[str, str] | None:
        """Return the name and rows of the next block that is done; None after the last."""
        return next(self._rows, None)


class RayCluster:
    """A cluster that is running, by its address; without one, workers on this machine.

    To be used in a `with` block.
    """

    def __init__(self, size: WorkerSize, address: str | None = None) -> None:
        self.size, self._address = size, address
        self._ray: Any = None

    def __enter__(self) -> "RayCluster":
        is_client = (self._address or "").startswith(CLIENT)
        for name, value in (ENVIRONMENT | (CLIENT_ENVIRONMENT if is_client else {})).items():
            os.environ.setdefault(name, value)
        self._ray = import_ray()
        options: dict[str, Any] = {"address": self._address}
        if self._address is None:
            options = {
                "address": "local",
                "num_cpus": max(usable_threads(), self.size.count * self.size.processors),
                "include_dashboard": False,
            }
        if not is_client:
            options |= {"log_to_driver": False, "logging_level": "error"}
        self._connect(options, CLIENT_ATTEMPTS if is_client else 1)
        # Whatever its options, Ray prints to standard output, among our names, that a worker died.
        worker = importlib.import_module("ray._private.worker")
        worker.print_to_stdstream = lambda *_, **__: None  # type: ignore[attr-defined]  # Ray's
        try:
            self._machines()
        except MatteError:
            self._ray.shutdown()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ray.shutdown()

    def _connect(self, options: dict[str, Any], attempts: int) -> None:
        """Connect to the cluster, or start one; raise if that fails so many times."""
        remedy = "start one with 'ray start', see docs/fleet.md"
        for attempt in range(1, attempts + 1):
            try:
                _ask_port(self._address or "")  # where nobody listens, Ray waits for minutes
                with _silenced_errors():
                    self._ray.init(**options)
            except Exception as error:  # Ray raises bare ones, of a busy machine for instance
                if attempt < attempts:
                    continue
                reason = str(error).strip().partition("\n")[0]
                cause = f"no Ray cluster at {self._address or 'this machine'} ({reason})"
                raise BackendError(cause, remedy) from error
            return

    def choose(self, request: FleetRequest) -> dict[str, Executions] | MatteError:
        """Return what `choose_all_executions` returns on one of the machines."""
        found: dict[str, Executions] | MatteError = self._call(choose_all_executions, 1, request)[0]
        return found

    def examine(self, request: FleetRequest, probe: ClusterProbe) -> list[MachineReport]:
        """Return what `examine_machine` returns on each machine that has room for a worker."""
        return self._call(examine_machine, None, request, probe)

    def run_blocks(
        self, request: FleetRequest, blocks: Sequence[FleetBlock]
    ) -> Iterator[tuple[FleetBlock, list[ResultRow]]]:
        """Yield each block that is done, with its rows, as they come."""
        known = {block.name: block for block in blocks}
        data = [pickle.dumps(block) for block in blocks]
        rows = _dataset_rows
        if (self._address or "").startswith(CLIENT):
            rows = self._client_rows
        try:
            for name, text in rows(pickle.dumps(request), data, self.size):
                yield known[name], rows_from_json(text)
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().rpartition("\n")[2]
            raise WorkersLostError(reason) from error

    def _client_rows(
        self, request: bytes, blocks: Sequence[bytes], size: WorkerSize
    ) -> Iterator[tuple[str, str]]:
        """Yield names and rows of blocks, from a driver inside the cluster."""
        driver = self._ray.remote(num_cpus=0)(RemoteDriver).remote(request, blocks, size)
        try:
            while (found := self._ray.get(driver.next.remote())) is not None:
                yield found
        finally:
            with suppress(self._ray.exceptions.RayError):
                self._ray.kill(driver)

    def _machines(self) -> list[str]:
        """Return the nodes that have room for a worker; raise if all workers find none."""
        room: dict[str, int] = {}
        for node in self._ray.nodes():
            has = node["Resources"]
            fits = int(has.get("CPU", 0) // self.size.processors)
            if self.size.gpus:
                fits = min(fits, int(has.get("GPU", 0) / self.size.gpus))
            if node["Alive"] and fits:
                room[node["NodeID"]] = fits
        if self.size.count == 0:
            self.size = replace(self.size, count=sum(room.values()))
        if not room or sum(room.values()) < self.size.count:
            what = f"{self.size.processors} processors"
            what += f" and {self.size.gpus:g} GPUs" if self.size.gpus else ""
            cause = f"the cluster has room for {sum(room.values())} workers of {what} each"
            raise SettingError(cause, "give fewer --workers, or --threads for each")
        return sorted(room)

    def _call(
        self, function: Callable[..., Any], machines: int | None, *arguments: Any
    ) -> list[Any]:
        """Return what a function returns on so many machines, or on all of them.

        Ray lists one that died for some seconds more: the list is asked for again then.
        """
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        there = strategies.NodeAffinitySchedulingStrategy
        for attempt in range(1, CALL_ATTEMPTS + 1):
            calls = [
                self._ray.remote(function)
                .options(
                    num_cpus=self.size.processors,
                    num_gpus=self.size.gpus,
                    scheduling_strategy=there(machine, soft=False),
                )
                .remote(*arguments)
                for machine in self._machines()[:machines]
            ]
            try:
                found: list[Any] = self._ray.get(calls)
            except self._ray.exceptions.RayError as error:
                if attempt < CALL_ATTEMPTS:
                    time.sleep(DEATH_SECONDS)
                    continue
                reason = str(error).strip().rpartition("\n")[2]
                cause = f"a machine of the cluster can't begin ({reason})"
                raise BackendError(cause, "install the same matte on all machines") from error
            return found
        raise AssertionError("the last attempt returns or raises")


def import_ray() -> Any:
    """Return Ray with Ray Data; raise with what installs it."""
    try:
        importlib.import_module("ray.data")
    except ModuleNotFoundError as error:
        raise BackendError("matte fleet needs Ray Data", install_command("fleet")) from error
    return importlib.import_module("ray")


def _dataset_rows(
    request: bytes, blocks: Sequence[bytes], size: WorkerSize
) -> Iterator[tuple[str, str]]:
    """Yield the name and rows of each block that a pool of actors has done, as they come.

    What a dying actor had is left out, for the caller to do again: Ray's own retries would give a
    picture that ends its worker to one worker after the other.
    """
    ray = import_ray()
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    items = [{"block": data} for data in blocks]
    dataset = ray.data.from_items(items, override_num_blocks=len(items))
    with warnings.catch_warnings():
        # Ray 2.64 will have another way to say max_task_retries; 2.60 has only this.
        warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")
        dataset = dataset.map_batches(
            BlockActor,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(
                size=min(size.count, len(items)), max_tasks_in_flight_per_actor=BLOCKS_AT_HAND
            ),
            num_cpus=size.processors,
            num_gpus=size.gpus or None,
            fn_constructor_args=(request,),
            max_task_retries=0,
        )
    found = dataset.iter_batches(batch_size=None, prefetch_batches=0, batch_format="pyarrow")
    for table in found:
        yield from zip(table["name"].to_pylist(), table["rows"].to_pylist(), strict=True)


def _ask_port(address: str) -> None:
    """Raise OSError unless somebody listens at an address that names a port."""
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), PORT_SECONDS).close()


@contextmanager
def _silenced_errors() -> Iterator[None]:
    """Keep what Ray's C++ writes by itself off standard error."""
    saved, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nothing)
