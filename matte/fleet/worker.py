"""What one worker does: a block of jobs after the other, with pipelines that stay loaded."""

import os
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matte import api
from matte.configs.loader import with_video_networks
from matte.errors import MatteError, MatteWarning, is_memory_error, out_of_memory
from matte.files import make_folder
from matte.fleet.items import FleetBlock, is_clip
from matte.fleet.request import FleetRequest, FleetVariant
from matte.fleet.rows import ResultRow, row_of_record
from matte.gpu.build import build_for_photos
from matte.photos.batch import Batch, PhotoOutcome
from matte.photos.jobs import PhotoJob
from matte.photos.locations import check_stored_output
from matte.photos.many import RunRecorder, outcomes_with_records
from matte.photos.resuming import ResumeOptions, remaining_jobs, target_name
from matte.photos.run_file import RunFile, read_run_file
from matte.photos.stored_run_file import StoredRunFile, open_run_file
from matte.pipeline.build import build, max_pixels
from matte.pipeline.executions import PinnedNetworks
from matte.pipeline.run import BuiltPipeline
from matte.stores.stored_file import StoredFile


class BlockWorker:
    """Does blocks of jobs; each picture that fails costs itself only.

    Every pipeline is built when it is needed first, and kept. A block that another worker began
    is gone on with: what is done of it is not done again.
    """

    def __init__(self, request: FleetRequest) -> None:
        self._request = request
        self._pipelines: dict[tuple[str, bool], BuiltPipeline] = {}
        self._place: dict[str, Any] = {"machine": platform.node(), "process": os.getpid()}

    def rows(self, block: FleetBlock) -> list[ResultRow]:
        """Return what became of each job of a block, once its run file holds it."""
        variant, retries = self._request.variant(block.variant), self._request.store_retries()
        history = read_run_file(variant.results, block.name)
        options = ResumeOptions(resume=True)
        remaining = remaining_jobs(block.jobs, options, variant.results, history)
        waiting = {target_name(job, variant.results) for job in remaining.jobs}
        rows = [
            row_of_record(variant.name, record)
            for record in history.records.values()
            if record.state != "began" and record.target not in waiting
        ]
        prints = self._request.fingerprints.get(variant.name, {})
        run_file = open_run_file(variant.results, prints, block.name)
        work = self._photo_rows
        if remaining.jobs and is_clip(remaining.jobs[0]):
            work = self._clip_rows
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", MatteWarning)
            rows += work(variant, remaining.jobs, run_file, found)
        if rows:
            again = self._request.store_retries() - retries
            rows[-1] = replace(rows[-1], retries=again)
        return rows

    def pipeline(self, variant: FleetVariant, for_clips: bool) -> BuiltPipeline:
        """Return the pipeline of a variant, built the first time."""
        key = (variant.name, for_clips)
        if key not in self._pipelines:
            settings = with_video_networks(variant.settings) if for_clips else variant.settings
            pinned = PinnedNetworks(settings.config, variant.executions or {})
            made = build if for_clips else build_for_photos
            self._pipelines[key] = made(settings, pinned)
        return self._pipelines[key]

    def _photo_rows(
        self,
        variant: FleetVariant,
        jobs: tuple[PhotoJob, ...],
        run_file: RunFile | StoredRunFile,
        found: list[warnings.WarningMessage],
    ) -> Iterator[ResultRow]:
        """Yield what becomes of each photo; `found` are the warnings so far."""
        if not jobs:
            return
        config = variant.settings.config
        make_batch = partial(
            Batch,
            finish=variant.finish,
            ending=variant.ending,
            overwrite=self._request.overwrite,
            max_pixels=max_pixels(config),
            overlaps=config.runtime.max_memory is None,
        )
        try:
            pipeline, batch = self.pipeline(variant, for_clips=False), make_batch(jobs)
        except MatteError as error:  # a background that is gone, or a network
            yield from self._failed_rows(variant, jobs, run_file, error)
            return
        for outcome, record in outcomes_with_records(batch, pipeline, run_file, variant.results):
            assert record is not None
            shown = {k: v for k, v in outcome.report.items() if k not in pipeline.facts}
            columns = _columns(pipeline, outcome.job, found) | self._place
            yield row_of_record(variant.name, record, shown, **columns)

    def _clip_rows(
        self,
        variant: FleetVariant,
        jobs: tuple[PhotoJob, ...],
        run_file: RunFile | StoredRunFile,
        found: list[warnings.WarningMessage],
    ) -> Iterator[ResultRow]:
        """Yield what becomes of each clip, rendered as `matte video` does it."""
        pipeline = self.pipeline(variant, for_clips=True)
        recorder = RunRecorder(run_file, variant.results)
        with run_file:
            for job in jobs:
                recorder.announce(job, [job], lambda each: each.replaces or self._request.overwrite)
                recorder.begin(job)
                outcome = self._rendered(variant, job, pipeline)
                record = recorder.end(outcome)
                assert record is not None
                columns = _columns(pipeline, job, found) | self._place
                yield row_of_record(variant.name, record, outcome.report, **columns)

    def _failed_rows(
        self,
        variant: FleetVariant,
        jobs: tuple[PhotoJob, ...],
        run_file: RunFile | StoredRunFile,
        error: MatteError,
    ) -> Iterator[ResultRow]:
        """Yield a row for each job of a block that fails as a whole."""
        recorder = RunRecorder(run_file, variant.results)
        with run_file:
            for job in jobs:
                record = recorder.end(PhotoOutcome(job, error=error))
                assert record is not None
                yield row_of_record(variant.name, record, **self._place)

    def _rendered(
        self, variant: FleetVariant, job: PhotoJob, pipeline: BuiltPipeline
    ) -> PhotoOutcome:
        """Return what became of a clip that is matted into its file."""
        overwrite = self._request.overwrite or job.replaces
        try:
            with _clip_files(job, overwrite) as (source, target):
                rendered = api.video(
                    source,
                    target,
                    background=variant.ground,
                    pipeline=pipeline,
                    overwrite=overwrite,
                    premultiply=variant.finish.premultiply,
                )
        except MatteError as error:
            return PhotoOutcome(job, error=error)
        except Exception as error:
            if not is_memory_error(error):
                raise
            return PhotoOutcome(job, error=out_of_memory())
        report = {key: value for key, value in rendered.as_json().items() if key != "written"}
        return PhotoOutcome(job, (job.target,), report)


@contextmanager
def _clip_files(job: PhotoJob, overwrite: bool) -> Iterator[tuple[Path, Path]]:
    """Yield the files to read and to write for a clip; in a store they are copies of its objects.

    A stored result is written when the block ends without an error.
    """
    with TemporaryDirectory(prefix="matte-clip-") as folder:
        source, target = Path(folder, job.source.name), Path(folder, f"result-{job.target.name}")
        if isinstance(job.target, StoredFile):
            check_stored_output(job.target, overwrite)
        else:
            target = job.target
            make_folder(target.parent)
        if isinstance(job.source, StoredFile):
            source.write_bytes(job.source.read())
        else:
            source = job.source
        yield source, target
        if isinstance(job.target, StoredFile):
            job.target.write(target.read_bytes(), overwrite)


def _columns(
    pipeline: BuiltPipeline, job: PhotoJob, found: list[warnings.WarningMessage]
) -> dict[str, Any]:
    """Return what a table says of the networks, and the warnings that name the job's source.

    Those are removed from `found`.
    """
    told = [str(each.message) for each in found if str(job.source) in str(each.message)]
    found[:] = [each for each in found if str(job.source) not in str(each.message)]
    networks = [
        f"{kind} {each['name']} on {each['backend']} {each['device']} {each['precision']}"
        for kind, each in pipeline.facts["networks"].items()
    ]
    return {"networks": ", ".join(networks), "warnings": "; ".join(told)}
