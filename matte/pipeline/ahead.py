"""Pictures read while something else is done."""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from matte.media.pictures import Photo, read_photo
from matte.media.streams import read_stdin
from matte.pipeline.jobs import STREAM, Job


class Ahead:
    """The pictures of jobs; each is read while the one before is worked on, the first from now on.

    Only files are read ahead: to wait for a pipe could be for ever.
    """

    def __init__(self, jobs: Sequence[Job], max_pixels: int) -> None:
        self._jobs = jobs
        self._max_pixels = max_pixels
        self._reader = ThreadPoolExecutor(1)
        self._number = -1
        self._reading: Future[Photo] | None = None
        self._read_ahead(0)

    def photo(self, number: int) -> Photo:
        """The picture of that job; raises what reading it raised."""
        reading = self._reading if number == self._number else None
        try:
            return reading.result() if reading is not None else self._read(self._jobs[number])
        finally:
            self._read_ahead(number + 1)

    def _read_ahead(self, number: int) -> None:
        self._number, self._reading = number, None
        if number < len(self._jobs):
            job = self._jobs[number]
            if job.source != STREAM and os.path.isfile(job.source):
                self._reading = self._reader.submit(self._read, job)
        else:
            self._reader.shutdown(wait=False)

    def _read(self, job: Job) -> Photo:
        if job.source == STREAM:
            return read_stdin(self._max_pixels)
        return read_photo(job.source, self._max_pixels)
