"""A fleet simulated: measured times of workers, and queues before the driver and the store.

Every worker has one processor, reads one picture ahead, and writes while the next one is matted, as
`photos/batch.py` does it. Requests wait for their turn where the store takes no more a second.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf

WINDOW = (0.2, 0.7)  # of the pictures: between them the rate is neither the start's nor the end's


@dataclass(frozen=True, slots=True)
class PictureCost:
    """What one picture takes: seconds of a processor, and bytes that are read and written."""

    seconds: float
    read_bytes: int = 0
    written_bytes: int = 0


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """What a store takes: requests and bytes a second in all, and how long a request takes alone.

    `connection_bytes` are those a second of one connection.
    """

    reads: float = inf
    writes: float = inf
    latency: float = 0.0
    bytes: float = inf
    connection_bytes: float = inf


LOCAL_DISK = StoreLimits()


@dataclass(frozen=True, slots=True)
class BlockCost:
    """How work is handed out: pictures in a block, and what each block costs.

    `driver_seconds` are the driver's, who does one block after the other; `worker_seconds` pass in
    the worker; `writes` are those of the run file; `at_hand` blocks wait in each worker.
    """

    pictures: int
    driver_seconds: float = 0.0
    worker_seconds: float = 0.0
    writes: int = 0
    at_hand: int = 3


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """How long a run took, its pictures a second in between, and how busy each part was then.

    `busy` are shares 0 … 1 by name: workers, driver, reads, writes, bytes.
    """

    seconds: float
    rate: float
    busy: dict[str, float]

    @property
    def limit(self) -> str:
        """The part that is the busiest."""
        return max(self.busy, key=self.busy.__getitem__)


@dataclass(slots=True)
class _Queue:
    """Serves one request after the other; `busy` are the seconds that it was at work."""

    free: float = 0.0
    busy: float = 0.0

    def serve(self, at: float, seconds: float) -> float:
        """Return when a request that comes at a time, and takes so long, is done."""
        self.free = max(self.free, at) + seconds
        self.busy += seconds
        return self.free


@dataclass(slots=True)
class _SimulatedWorker:
    """A worker: its blocks at hand by when they came, and where it is in its block."""

    arrivals: list[tuple[float, int, int]] = field(default_factory=list)
    first: int = 0
    end: int = 0
    processor: float = 0.0  # when it is free
    writes: tuple[float, float] = (0.0, 0.0)  # when the last but one, and the last, were done
    waits: bool = True


class _Simulation:
    """Events by their time."""

    def __init__(
        self,
        workers: int,
        pictures: int,
        costs: Sequence[PictureCost],
        block: BlockCost,
        store: StoreLimits,
    ) -> None:
        self._costs, self._block, self._store = costs, block, store
        self._total, self._next = pictures, 0
        self._workers = [_SimulatedWorker() for _ in range(workers)]
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0
        self._queues = {name: _Queue() for name in ("driver", "reads", "writes", "bytes")}
        self._worked = 0.0
        self.done: list[float] = []

    def run(self) -> SimulatedRun:
        """Return what came of it."""
        for worker in self._workers * self._block.at_hand:
            self._at(0.0, partial(self._ask, worker))
        while self._events:
            time, _, event = heapq.heappop(self._events)
            event(time)
        self.done.sort()
        seconds = self.done[-1]
        first, last = (self.done[int(share * (len(self.done) - 1))] for share in WINDOW)
        inside = sum(first < time <= last for time in self.done)
        busy = {name: queue.busy / seconds for name, queue in self._queues.items()}
        busy["workers"] = self._worked / seconds / len(self._workers)
        return SimulatedRun(seconds, inside / max(last - first, 1e-9), busy)

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        """Have something happen at a time."""
        self._count += 1
        heapq.heappush(self._events, (time, self._count, event))

    def _ask(self, worker: _SimulatedWorker, now: float) -> None:
        """Ask the driver for a block."""
        if self._next >= self._total:
            return
        first, self._next = self._next, min(self._total, self._next + self._block.pictures)
        ready = self._queues["driver"].serve(now, self._block.driver_seconds)
        self._at(ready, partial(self._receive, worker, first, self._next))

    def _receive(self, worker: _SimulatedWorker, first: int, end: int, now: float) -> None:
        """Lay a block at hand; a worker that waits begins it."""
        worker.arrivals.append((now, first, end))
        if worker.waits:
            self._begin(worker, now)

    def _begin(self, worker: _SimulatedWorker, now: float) -> None:
        """Begin the next block that is at hand, if there is one."""
        worker.waits = not worker.arrivals
        if worker.waits:
            return
        _, worker.first, worker.end = worker.arrivals.pop(0)
        began = max(now, worker.processor) + self._block.worker_seconds
        for _ in range(self._block.writes):
            self._request("writes", began, 0)
        worker.processor = began
        worker.writes = (began, began)
        self._at(began, partial(self._read, worker, worker.first))

    def _read(self, worker: _SimulatedWorker, number: int, now: float) -> None:
        """Read a picture."""
        ready = self._request("reads", now, self._cost(number).read_bytes)
        self._at(ready, partial(self._matte, worker, number))

    def _matte(self, worker: _SimulatedWorker, number: int, now: float) -> None:
        """Matte a picture that is read, once processor and writer are free; read the next one."""
        began = max(now, worker.processor, worker.writes[0])
        seconds = self._cost(number).seconds
        worker.processor = began + seconds
        self._worked += seconds
        if number + 1 < worker.end:
            self._at(began, partial(self._read, worker, number + 1))
        self._at(worker.processor, partial(self._write, worker, number))

    def _write(self, worker: _SimulatedWorker, number: int, now: float) -> None:
        """Write a picture; after a block's last one the next block begins."""
        began = max(now, worker.writes[1])
        written = self._request("writes", began, self._cost(number).written_bytes)
        worker.writes = (worker.writes[1], written)
        self.done.append(written)
        if number + 1 == worker.end:
            self._at(written, partial(self._ask, worker))
            self._at(written, partial(self._begin, worker))

    def _request(self, kind: str, now: float, size: int) -> float:
        """Return when a request to the store is done."""
        rate = self._store.reads if kind == "reads" else self._store.writes
        begun = self._queues[kind].serve(now, 1 / rate)
        sent = self._queues["bytes"].serve(begun, size / self._store.bytes)
        return max(sent, begun + size / self._store.connection_bytes) + self._store.latency

    def _cost(self, number: int) -> PictureCost:
        """Return what a picture takes."""
        return self._costs[number % len(self._costs)]


def simulate_fleet(
    workers: int,
    pictures: int,
    costs: Sequence[PictureCost],
    block: BlockCost,
    store: StoreLimits = LOCAL_DISK,
) -> SimulatedRun:
    """Return how a fleet would do so many pictures, whose costs are those given, again and again.

    >>> run = simulate_fleet(2, 100, [PictureCost(0.5)], BlockCost(pictures=5))
    >>> run.seconds, run.limit
    (25.0, 'workers')
    """
    return _Simulation(workers, pictures, costs, block, store).run()
