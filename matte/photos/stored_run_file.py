"""A run file in a store, where nothing can be added to what is there.

Lines are gathered, and written from time to time as a small segment of its own. So a picture has to
be announced before its result can be there: several are at once, ahead of their turn.
"""

import secrets
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from matte.errors import OutputError, StoreError
from matte.photos.locations import Location
from matte.photos.run_file import (
    RUN_FOLDER,
    SEGMENT_SUFFIX,
    PictureRecord,
    RunFile,
    record_line,
    segment_line,
)
from matte.stores.stored_file import StoredFile

ANNOUNCED_PICTURES = 50
MAX_UNWRITTEN_SECONDS = 10.0


class StoredRunFile:
    """Gathers records; each segment is written once, by this process alone."""

    announced = ANNOUNCED_PICTURES

    def __init__(
        self, results: StoredFile, fingerprint: Mapping[str, Any], segment: str = ""
    ) -> None:
        """`fingerprint` is what the results depend on besides their sources.

        `segment` is a folder of the run file that its segments go to, so that they are listed
        without others.
        """
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        self._beginning = results / RUN_FOLDER / segment / name
        self._head = segment_line(fingerprint)
        self._lines: list[str] = []
        self._count = 0
        self._written_at = time.monotonic()

    def __enter__(self) -> "StoredRunFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()

    def add(self, record: PictureRecord) -> None:
        """Add a picture's record; it is written with others, some seconds later at most."""
        self._lines.append(record_line(record))
        age = time.monotonic() - self._written_at
        if record.state != "began" and age >= MAX_UNWRITTEN_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered; once this returns it is in the store."""
        if not self._lines:
            return
        name = f"{self._beginning.name}-{self._count:06d}{SEGMENT_SUFFIX}"
        segment = self._beginning.with_name(name)
        try:
            segment.write("".join([self._head, *self._lines]).encode())
        except StoreError as error:
            raise OutputError(f"can't write the run file: {error.cause}", error.remedy) from error
        self._lines, self._count = [], self._count + 1
        self._written_at = time.monotonic()


def open_run_file(
    results: Location, fingerprint: Mapping[str, Any], segment: str = ""
) -> RunFile | StoredRunFile:
    """Return the run file of a folder of results, which may be in a store.

    `read_run_file` finds what is added to it by the name `segment`.
    """
    if isinstance(results, StoredFile):
        return StoredRunFile(results, fingerprint, segment)
    return RunFile(results, fingerprint, segment)
