"""A reader of photos that reads the next one while others are worked on."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from matte.files import STREAM
from matte.media.pictures import Photo, decode_photo, read_photo
from matte.media.streams import read_stdin
from matte.photos.jobs import PhotoJob
from matte.photos.locations import Location
from matte.stores.stored_file import StoredFile


class PhotoReader:
    """Reads the photos of jobs; it begins with the first one at once, in a thread.

    `reads_ahead`: whether each next photo is read, too, while its predecessor is worked on.
    `check` is called with a job before its photo is read, and may raise.
    """

    def __init__(
        self,
        jobs: Iterable[PhotoJob],
        max_pixels: int,
        reads_ahead: bool = True,
        check: Callable[[PhotoJob], None] = lambda _: None,
    ) -> None:
        self._check = check
        self._max_pixels, self._reads_ahead = max_pixels, reads_ahead
        self._coming: Iterator[PhotoJob] = iter(jobs)
        self._reading: dict[PhotoJob, Future[Photo]] = {}
        self._read_next()

    def read(self, job: PhotoJob) -> Photo:
        """Return the job's photo; raises whatever reading it raised."""
        reading = self._reading.pop(job, None)
        try:
            return self._read_now(job) if reading is None else reading.result()
        finally:
            if self._reads_ahead:
                self._read_next()

    def _read_next(self) -> None:
        """Begin to read the next photo that is a file."""
        job = next(self._coming, None)
        if job is not None and _can_be_read_early(job.source):
            thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
            self._reading[job] = thread.submit(self._read_now, job)
            thread.shutdown(wait=False)  # it ends by itself, also if nobody asks for the photo

    def _read_now(self, job: PhotoJob) -> Photo:
        """Read a job's photo from its file, its store or standard input."""
        self._check(job)
        if job.source == STREAM:
            return read_stdin(self._max_pixels)
        if isinstance(job.source, StoredFile):
            return decode_photo(job.source.read(), str(job.source), self._max_pixels)
        return read_photo(job.source, self._max_pixels)


def _can_be_read_early(source: Location) -> bool:
    """Return whether a source is an object or a plain file: no pipe, no standard input."""
    return isinstance(source, StoredFile) or (source != STREAM and os.path.isfile(source))
