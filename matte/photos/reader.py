"""A reader of photos that reads the first one while the networks are opened."""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from matte.files import STREAM
from matte.media.pictures import Photo, read_photo
from matte.media.streams import read_stdin
from matte.photos.jobs import PhotoJob


class PhotoReader:
    """Reads the photos of jobs; it begins with the first one at once, in a thread."""

    def __init__(self, jobs: Sequence[PhotoJob], max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._reading: dict[PhotoJob, Future[Photo]] = {}
        if jobs and jobs[0].source != STREAM and os.path.isfile(jobs[0].source):
            reader = ThreadPoolExecutor(1)
            self._reading[jobs[0]] = reader.submit(self._read_now, jobs[0])
            reader.shutdown(wait=False)

    def read(self, job: PhotoJob) -> Photo:
        """Return the job's photo; raises whatever reading it raised."""
        reading = self._reading.pop(job, None)
        return self._read_now(job) if reading is None else reading.result()

    def _read_now(self, job: PhotoJob) -> Photo:
        """Read a job's photo from its file or from standard input."""
        if job.source == STREAM:
            return read_stdin(self._max_pixels)
        return read_photo(job.source, self._max_pixels)
