"""A cluster without Ray: blocks done in this process, by workers that may die."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matte.configs.loader import merge_settings
from matte.errors import MatteError
from matte.fleet.checks import ClusterProbe, MachineReport, examine_machine
from matte.fleet.items import FleetBlock
from matte.fleet.request import FleetRequest, FleetVariant
from matte.fleet.rows import ResultRow
from matte.fleet.run import WorkersLostError
from matte.fleet.worker import BlockWorker
from matte.media.encoding import encode
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import PhotoJob
from matte.photos.locations import Location
from matte.pipeline.executions import Executions
from matte.pipeline.run import BuiltPipeline
from matte.stores.s3 import S3Store
from matte.stores.s3_clients import CallTimes
from matte.stores.stored_file import StoredFile
from tests import fakes
from tests.conftest import disc, save
from tests.stores.s3_server import S3Server

SETTINGS = merge_settings("fast", flags={"k": 3, "iterations": 2, "refiner": "guided"})


class WorkerDeathError(Exception):
    """What ends a worker in the middle of a block."""


def survive(_: PhotoJob) -> None:
    """No worker dies."""


@dataclass
class OwnCluster:
    """Does blocks in this process; `on_photo` is called before each photo, and may raise."""

    on_photo: Callable[[PhotoJob], None] = survive
    answer: dict[str, Executions] | MatteError | None = None
    lost_rounds: int = 0
    """The rounds in which no worker answers."""
    rounds: list[list[str]] = field(default_factory=list)

    def choose(self, request: FleetRequest) -> dict[str, Executions] | MatteError:
        return {v.name: {} for v in request.variants} if self.answer is None else self.answer

    def examine(self, request: FleetRequest, probe: ClusterProbe) -> list[MachineReport]:
        return [examine_machine(request, probe)]

    def run_blocks(
        self, request: FleetRequest, blocks: Sequence[FleetBlock]
    ) -> Iterator[tuple[FleetBlock, list[ResultRow]]]:
        self.rounds.append([block.name for block in blocks])
        if len(self.rounds) <= self.lost_rounds:
            raise WorkersLostError("nobody is there")
        worker = BlockWorker(request)
        for block in blocks:
            try:
                yield block, worker.rows(block)
            except WorkerDeathError:
                worker = BlockWorker(request)

    def build(self, merged: object, opener: object = None) -> BuiltPipeline:
        """What pipeline.build gives, without networks; photos may end their worker."""
        return fakes.build(SETTINGS)


def variant(results: Location, name: str = "") -> FleetVariant:
    """Returns a way to make results that needs no network."""
    return FleetVariant(name, SETTINGS, FinishOptions(), results)


def store_discs(s3: S3Server, count: int) -> StoredFile:
    """Puts small pictures into a folder of a bucket, each another, and returns it."""
    for number in range(count):
        data = encode(disc(40 + number, 50)[0], ".png")
        s3.put("bucket", f"in/{number:02d}.png", data)
    return StoredFile(S3Store("bucket", times=CallTimes(first_wait=0.002)), "in")


def save_discs(folder: Path, count: int) -> Path:
    """Saves small pictures into a folder, each another, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        save(folder / f"{number:02d}.png", disc(40 + number, 50)[0])
    return folder
