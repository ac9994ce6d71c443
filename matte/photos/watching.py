"""A folder that is watched: pictures that arrive in it, once they are whole."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from matte.errors import PictureError
from matte.photos.jobs import PhotoJob
from matte.photos.locations import Location
from matte.photos.run_file import source_state

# Between two looks: a picture is whole that has not changed from one to the next.
LOOK_SECONDS = 1.0
FULL_LOOK_SECONDS = 30.0  # between two looks at every file, not at the folders alone
SourceState = tuple[int, int]  # size and time of change


@dataclass(slots=True)
class FolderWatch:
    """Finds the pictures of a folder that are new, or have changed, and are whole.

    `plan` returns a job for each picture that is there. `known` are the states of sources that need
    not be done again.
    """

    folders: Sequence[Path]
    plan: Callable[[], Sequence[PhotoJob]]
    known: dict[Location, SourceState] = field(default_factory=dict)
    _arriving: dict[Location, SourceState] = field(default_factory=dict)
    _jobs: Sequence[PhotoJob] = ()
    _seen_folders: Mapping[str, int] = field(default_factory=dict)
    _last_full_look: float = -FULL_LOOK_SECONDS

    def ready_jobs(self, now: float) -> list[PhotoJob]:
        """Return the jobs of pictures that are whole since the last look; `now` in seconds."""
        # A new folder changes the time of the one that it lies in.
        is_quiet = self._seen_folders and not self._arriving and not self._has_changed_folder()
        if is_quiet and now - self._last_full_look < FULL_LOOK_SECONDS:
            return []
        folders = _folder_times(self.folders)
        if folders != self._seen_folders or not self._jobs:
            self._jobs = self._planned()
        self._seen_folders, self._last_full_look = folders, now
        arriving: dict[Location, SourceState] = {}
        ready = []
        for job in self._jobs:
            state = source_state(job.source)
            if state[0] == 0 or self.known.get(job.source) == state:
                continue
            if self._arriving.get(job.source) == state:
                # A picture that was done before has a result, which this one replaces.
                ready.append(replace(job, replaces=job.source in self.known))
                self.known[job.source] = state
            else:
                arriving[job.source] = state
        self._arriving = arriving
        return ready

    def _has_changed_folder(self) -> bool:
        """Return whether a folder got, lost or renamed a file since the last look at all files."""
        return any(_time(place) != time for place, time in self._seen_folders.items())

    def _planned(self) -> Sequence[PhotoJob]:
        """Return the jobs of all pictures; none of a folder that has none, or is gone for now."""
        try:
            return self.plan()
        except PictureError:
            return ()


def arriving_batches(
    watch: FolderWatch,
    check: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[list[PhotoJob]]:
    """Yield the jobs that are ready, again and again, until `check`, called between, raises."""
    while True:
        check()
        jobs = watch.ready_jobs(time.monotonic())
        if jobs:
            yield jobs
        sleep(LOOK_SECONDS)


def _folder_times(folders: Sequence[Path]) -> dict[str, int]:
    """Return when each folder, and each below it, last got, lost or renamed a file."""
    found: dict[str, int] = {}
    for folder in folders:
        for place, below, _ in os.walk(folder):
            below[:] = [name for name in below if not name.startswith(".")]
            found[place] = _time(place)
    return found


def _time(place: str) -> int:
    """Return when a folder changed; 0 for one that is gone."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0
