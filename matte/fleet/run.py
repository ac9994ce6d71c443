"""A run over a cluster: planned, checked on every machine, and done until nothing is missing."""

import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from matte.errors import BackendError, MatteError
from matte.files import check_names
from matte.fleet.checks import (
    ClusterProbe,
    MachineReport,
    cluster_probe,
    refuse_problems,
)
from matte.fleet.items import FleetBlock, find_jobs, is_clip, make_blocks
from matte.fleet.request import FleetRequest
from matte.fleet.rows import ResultRow, row_of_record
from matte.photos.batch import PhotoOutcome
from matte.photos.jobs import PhotoJob
from matte.photos.locations import check_stored_outputs, local_files, stored_files
from matte.photos.many import RunRecorder, plan_run
from matte.photos.resuming import RemainingJobs, ResumeOptions, target_name
from matte.photos.run_file import read_run_file
from matte.photos.stored_run_file import open_run_file
from matte.pipeline.executions import Executions

MAX_LOSSES = 3  # workers that may end while they work on one picture
MAX_IDLE_ROUNDS = 3  # in a row, in which no worker returns or begins anything


class WorkerCluster(Protocol):
    """Machines whose workers do blocks."""

    def choose(self, request: FleetRequest) -> dict[str, Executions] | MatteError:
        """Return what `choose_all_executions` returns on one of the machines."""
        ...

    def examine(self, request: FleetRequest, probe: ClusterProbe) -> list[MachineReport]:
        """Return what `examine_machine` returns on each machine."""
        ...

    def run_blocks(
        self, request: FleetRequest, blocks: Sequence[FleetBlock]
    ) -> Iterator[tuple[FleetBlock, list[ResultRow]]]:
        """Yield each block that is done, with its rows, as they come.

        Blocks whose worker died are left out; raises WorkersLostError where no more can come.
        """
        ...


class WorkersLostError(BackendError):
    """Workers that ended before all blocks were done."""


@dataclass(frozen=True, slots=True, eq=False)
class FleetPlan:
    """What remains to be done of a request, by variant, and what machines it is done on."""

    request: FleetRequest
    remaining: dict[str, RemainingJobs]
    machines: Sequence[MachineReport] = ()

    @property
    def count(self) -> int:
        """How many results are asked for in all."""
        return sum(
            len(each.jobs) + each.done_before + len(each.failed_before)
            for each in self.remaining.values()
        )

    @property
    def waiting(self) -> int:
        """How many results are still to be made."""
        return sum(len(each.jobs) for each in self.remaining.values())


@dataclass(slots=True)
class FleetStatistics:
    """What a run cost besides its pictures: rounds, blocks and pictures that were lost on a way."""

    blocks: int = 0
    rounds: int = 0
    lost_blocks: int = 0
    begun_again: int = 0
    began: float = field(default_factory=time.perf_counter)
    first_row: float | None = None


def plan_fleet(
    request: FleetRequest, options: ResumeOptions, cluster: WorkerCluster, is_mixed: bool = False
) -> FleetPlan:
    """Return what is to be done, and raise for what can't be, before any of it begins.

    The networks run everywhere as they run on one machine of the cluster, unless `is_mixed`.
    """
    jobs = {each.name: find_jobs(request.source, each) for each in request.variants}
    has_clips = any(is_clip(job) for found in jobs.values() for job in found)
    request = replace(request, has_clips=has_clips)
    for found in jobs.values():
        _check_names(found)
    chosen: dict[str, Executions] | None = None
    if not is_mixed:
        answer = cluster.choose(request)
        if isinstance(answer, MatteError):
            raise answer
        chosen = answer
    request = request.with_executions(chosen)
    remaining = {
        each.name: plan_run(jobs[each.name], options, each.results, request.fingerprints[each.name])
        for each in request.variants
    }
    plan = FleetPlan(request, remaining)
    if not plan.waiting:
        return plan
    source = next(job.source for each in remaining.values() for job in each.jobs)
    with cluster_probe(request.variants[0].results, source) as probe:
        reports = cluster.examine(request, probe)
    refuse_problems(reports)
    return replace(plan, machines=reports)


def _check_names(jobs: Sequence[PhotoJob]) -> None:
    """Raise OutputError if a result is named twice, or is a source."""
    sources, targets = [job.source for job in jobs], [job.target for job in jobs]
    files = [(path, (path.suffix.lower(),)) for path in local_files(targets)]
    check_names(files, local_files(sources))
    objects = [(each, (each.suffix.lower(),)) for each in stored_files(targets)]
    check_stored_outputs(objects, stored_files(sources))


class FleetRun:
    """Does what a plan says; a worker that dies costs nothing but what it was at."""

    def __init__(self, plan: FleetPlan, cluster: WorkerCluster, workers: int) -> None:
        self._plan, self._cluster = plan, cluster
        self._losses: Counter[tuple[str, str]] = Counter()
        waiting = [(name, each.jobs) for name, each in plan.remaining.items()]
        self._blocks = make_blocks(waiting, workers)
        self.statistics = FleetStatistics(len(self._blocks))

    def rows(self) -> Generator[ResultRow]:
        """Yield what becomes of every photo and clip, as the workers end them."""
        blocks, idle, why = self._blocks, 0, ""
        while blocks:
            self.statistics.rounds += 1
            missing = {block.name: block for block in blocks}
            try:
                for block, rows in self._cluster.run_blocks(self._plan.request, blocks):
                    if missing.pop(block.name, None) is not None:
                        self._note_row()
                        yield from rows
            except WorkersLostError as error:
                why = error.cause
            is_idle = len(missing) == len(blocks)
            self.statistics.lost_blocks += len(missing)
            before = self._losses.total()
            blocks = []
            for block in missing.values():
                rows, parts = self._gather(block)
                is_idle = is_idle and not rows
                yield from rows
                blocks += parts
            idle = idle + 1 if is_idle and self._losses.total() == before else 0
            if idle == MAX_IDLE_ROUNDS:
                cause = f"no worker of the cluster does anything ({why or 'they end at once'})"
                raise BackendError(cause, "look at Ray's logs on its machines")

    def _note_row(self) -> None:
        """Keep when the first block came."""
        if self.statistics.first_row is None:
            self.statistics.first_row = time.perf_counter()

    def _gather(self, block: FleetBlock) -> tuple[list[ResultRow], list[FleetBlock]]:
        """Return what a lost block's worker has left: rows, and blocks for what is missing.

        A picture that was begun when MAX_LOSSES workers ended has failed.
        """
        variant = self._plan.request.variant(block.variant)
        records = read_run_file(variant.results, block.name).records
        rows: list[ResultRow] = []
        again: list[PhotoJob] = []
        for job in block.jobs:
            record = records.get(target_name(job, variant.results))
            if record is None:
                again.append(job)
            elif record.state != "began":
                rows.append(row_of_record(variant.name, record))
            else:
                self.statistics.begun_again += 1
                self._losses[variant.name, record.target] += 1
                if self._losses[variant.name, record.target] < MAX_LOSSES:
                    again.append(replace(job, replaces=True))
                else:
                    rows.append(self._failed_row(block, job))
        if not rows and len(again) == len(block.jobs) and len(block.jobs) > 1 and not records:
            return [], [block]  # nobody has begun it
        if len(block.jobs) == 1 and again:
            return rows, [replace(block, jobs=tuple(again))]
        return rows, block.parts(again)

    def _failed_row(self, block: FleetBlock, job: PhotoJob) -> ResultRow:
        """Record a job as failed whose workers end, and return its row."""
        variant = self._plan.request.variant(block.variant)
        cause = f"{MAX_LOSSES} workers ended while they worked on it"
        error = MatteError(cause, "look at the picture, or give the workers more memory")
        prints = self._plan.request.fingerprints.get(variant.name, {})
        with open_run_file(variant.results, prints, block.name) as run_file:
            record = RunRecorder(run_file, variant.results).end(PhotoOutcome(job, error=error))
        assert record is not None
        return row_of_record(variant.name, record)


def rows_before(plan: FleetPlan) -> Iterator[ResultRow]:
    """Yield what earlier runs have made, or failed at, of what a plan's request asks for."""
    for variant in plan.request.variants:
        remaining = plan.remaining[variant.name]
        if not (remaining.done_before or remaining.failed_before):
            continue
        waiting = {target_name(job, variant.results) for job in remaining.jobs}
        wanted = {
            target_name(job, variant.results) for job in find_jobs(plan.request.source, variant)
        }
        for target, record in read_run_file(variant.results).records.items():
            if target in wanted - waiting and record.state != "began":
                yield row_of_record(variant.name, record)
