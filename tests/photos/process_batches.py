"""Batches for other processes, where pictures have odd effects by their names."""

import os
import signal
from pathlib import Path
from typing import Any

from matte.photos.batch import Batch, MattedPhoto
from matte.photos.jobs import PhotoJob
from matte.photos.locations import on_disk
from matte.pipeline.run import BuiltPipeline

KILLS_ALWAYS, KILLS_ONCE, BREAKS = "kills-always", "kills-once", "breaks"


class OddBatch(Batch):
    """Mattes as any other, but for pictures that kill their process, or show a bug of ours."""

    def _matte(self, pipeline: BuiltPipeline, job: PhotoJob) -> MattedPhoto:
        found = super()._matte(pipeline, job)
        marker = on_disk(job.source).with_suffix(".killed")
        if job.source.stem == BREAKS:
            raise AttributeError("a bug of ours")
        if job.source.stem == KILLS_ALWAYS or (
            job.source.stem == KILLS_ONCE and not marker.exists()
        ):
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return found


def odd_batch(jobs: Any, **options: Any) -> OddBatch:
    """Return a batch of the jobs."""
    from matte.photos.finishing import FinishOptions

    options.pop("report", None)
    return OddBatch(jobs, FinishOptions(), **options)


def odd_job(folder: Path, name: str) -> PhotoJob:
    """Return the job of a picture of that name, in a folder and its folder of results."""
    return PhotoJob(folder / f"{name}.png", folder / "out" / f"{name}.png", makes_folder=True)
