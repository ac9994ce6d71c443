"""A process of a run: it mattes the pictures that the run's first process hands it."""

import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import cv2

from matte.configs.loader import MergedSettings
from matte.errors import MatteError, MatteWarning
from matte.gpu.build import build_for_photos
from matte.photos.batch import Batch, PhotoOutcome
from matte.photos.jobs import PhotoJob
from matte.photos.locations import Location
from matte.photos.many import run_recorded
from matte.photos.stored_run_file import open_run_file
from matte.pipeline.executions import Executions, PinnedNetworks


@dataclass(frozen=True, slots=True, eq=False)
class SharedWork:
    """What the processes of a run do alike; it is pickled.

    `make_batch` makes a batch of jobs; `settings` are for one process; the networks run by
    `executions`; `results` is the folder of the run file, and `fingerprint` what it says of the
    run.
    """

    make_batch: Callable[..., Batch]
    settings: MergedSettings
    executions: Executions
    results: Location | None
    fingerprint: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Idle:
    """The process has nothing to do: it asks for a job, or for None, which ends it.

    `facts` are its pipeline's.
    """

    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """The process could read the next picture: it asks for a job, or for None for now."""


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A picture is done, or has failed."""

    outcome: PhotoOutcome


@dataclass(frozen=True, slots=True)
class Warned:
    """A line for the user."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """The process can't go on: an error that the user can solve, or the trace of one of ours."""

    error: MatteError | None
    trace: str = ""


Message = Idle | Asking | Finished | Warned | Failed


class _Messenger:
    """Sends messages from several threads to the run's first process."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message; raise OSError if nobody is there any more."""
        with self._lock:
            self._connection.send(message)

    def show_warning(self, message: Warning | str, *_: Any, **__: Any) -> None:
        """Send a warning, in the place of `warnings.showwarning`."""
        with suppress(OSError):
            self.send(Warned(str(message)))

    def coming_jobs(self, first: PhotoJob) -> Iterator[PhotoJob]:
        """Yield a job, and those that there are when the next one is asked for."""
        job: PhotoJob | None = first
        while job is not None:
            yield job
            self.send(Asking())
            job = self._connection.recv()


def run_process(connection: Connection, work: SharedWork) -> None:
    """Work on pictures until there are none, or whoever hands them out is gone.

    A request to end is answered as Ctrl-C is in one process: files are whole or not there.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    messenger = _Messenger(connection)
    threads = work.settings.config.runtime.threads
    if threads is not None:
        cv2.setNumThreads(threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", MatteWarning)
        warnings.showwarning = messenger.show_warning
        try:
            _work(connection, messenger, work)
        except (EOFError, OSError, KeyboardInterrupt):
            return  # nobody waits for the rest
        except MatteError as error:
            _tell(messenger, Failed(error))
        except Exception:  # noqa: BLE001  # the first process raises it, with this trace
            _tell(messenger, Failed(None, traceback.format_exc()))


def _work(connection: Connection, messenger: _Messenger, work: SharedWork) -> None:
    """Do one job after the other, until None comes."""
    networks = PinnedNetworks(work.settings.config, work.executions)
    pipeline = build_for_photos(work.settings, networks)
    batch = work.make_batch((), report=None)
    messenger.send(Idle(pipeline.facts))
    while (job := connection.recv()) is not None:
        run_file = open_run_file(work.results, work.fingerprint) if work.results else None
        coming = messenger.coming_jobs(job)
        for outcome in run_recorded(batch, pipeline, run_file, work.results, coming):
            messenger.send(Finished(outcome))
        messenger.send(Idle(pipeline.facts))


def _tell(messenger: _Messenger, message: Failed) -> None:
    """Send the last message, if somebody is there."""
    with suppress(OSError):
        messenger.send(message)


def _interrupt(number: int, frame: object) -> None:
    """End the process by an exception, once."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
