"""What became of each photo and clip, as a row of the table of results."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matte.errors import MatteError
from matte.fleet.request import FleetRequest
from matte.photos.batch import PhotoOutcome
from matte.photos.jobs import PhotoJob
from matte.photos.run_file import PictureRecord
from matte.stores.stored_file import StoredFile


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One result or error. `report` is what was found in the picture, as JSON.

    `machine` and `process` are the worker's.

    Where an earlier run made the result, what only that run knew is empty.
    """

    variant: str
    target: str
    state: str  # done or failed
    source: str
    size: int
    sha256: str
    ms: int
    at: float  # seconds since 1970
    cause: str = ""
    remedy: str = ""
    width: int | None = None
    height: int | None = None
    subject: bool | None = None
    report: str = ""
    networks: str = ""  # how each ran
    warnings: str = ""
    machine: str = ""
    process: int | None = None
    retries: int = 0  # calls to stores that were made again meanwhile

    def as_outcome(self, request: FleetRequest) -> PhotoOutcome:
        """Return the same as `matte image` has it."""
        folder, target = request.source, request.variant(self.variant).results / self.target
        source = folder.at(self.source) if isinstance(folder, StoredFile) else Path(self.source)
        job = PhotoJob(source, target)
        if self.state != "done":
            error = MatteError(self.cause, self.remedy)
            return PhotoOutcome(job, error=error, retries=self.retries)
        report = json.loads(self.report or "{}")
        return PhotoOutcome(job, (target,), report, retries=self.retries)


def row_of_record(
    variant: str,
    record: PictureRecord,
    report: Mapping[str, Any] | None = None,
    **of_worker: Any,
) -> ResultRow:
    """Return the row of a run file's record; `of_worker` are the columns that a worker adds."""
    known = report or {}
    return ResultRow(
        variant=variant,
        target=record.target,
        state=record.state,
        source=record.source,
        size=record.size,
        sha256=record.sha256,
        ms=record.ms,
        at=record.at,
        cause=record.cause,
        remedy=record.remedy,
        width=known.get("width"),
        height=known.get("height"),
        subject=known.get("subject"),
        report=json.dumps(known) if known else "",
        **of_worker,
    )


def rows_as_json(rows: Sequence[ResultRow]) -> str:
    """Return rows as a text that workers send; bytes of names that are no text become escapes."""
    return json.dumps([asdict(row) for row in rows])


def rows_from_json(text: str) -> list[ResultRow]:
    """Return the rows of such a text."""
    return [ResultRow(**row) for row in json.loads(text)]
