"""The first picture, read while the networks are opened."""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from matte.files import STREAM
from matte.media.pictures import Photo, read_photo
from matte.media.streams import read_stdin
from matte.photos.jobs import Job


class Ahead:
    """The pictures of jobs; the first, if it is a file, is read from now on."""

    def __init__(self, jobs: Sequence[Job], max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._reading: dict[Job, Future[Photo]] = {}
        if jobs and jobs[0].source != STREAM and os.path.isfile(jobs[0].source):
            reader = ThreadPoolExecutor(1)
            self._reading[jobs[0]] = reader.submit(self._read, jobs[0])
            reader.shutdown(wait=False)

    def photo(self, job: Job) -> Photo:
        """The job's picture; raises what reading it raised."""
        reading = self._reading.pop(job, None)
        return self._read(job) if reading is None else reading.result()

    def _read(self, job: Job) -> Photo:
        if job.source == STREAM:
            return read_stdin(self._max_pixels)
        return read_photo(job.source, self._max_pixels)
