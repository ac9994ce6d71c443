"""The run file of many pictures: what became of each, so that a run can be gone on with.

It is a folder of JSON lines beside the results. Each process writes a segment of its own, to which
lines are added and never changed: several processes can write one run file. In a store, which adds
to nothing, there are more and smaller segments (`stored_run_file.py`).
"""

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

from matte.errors import MissingObjectError, OutputError, SettingError
from matte.files import make_folder
from matte.photos.locations import CALLS_AT_ONCE, Location
from matte.stores.stored_file import StoredFile

RUN_FOLDER = ".matte-run"  # in the folder of the results
SEGMENT_SUFFIX = ".jsonl"
State = Literal["began", "done", "failed"]
# Facts of a fingerprint that not every run has; they are compared where both runs have them.
OPTIONAL_FACTS = frozenset({"executions", "video"})


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """What a run file says of one picture, by its result's path in the folder of the results.

    `size` and `mtime_ns` are its source's when the result was made.
    """

    target: str
    state: State
    source: str
    size: int
    mtime_ns: int
    at: float = 0.0  # seconds since 1970
    ms: int = 0
    sha256: str = ""  # of the source
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What earlier runs left: the newest record of each result, and what they were made by.

    `own` are the results that a run made or was about to make, where there was no other file.
    """

    records: Mapping[str, PictureRecord] = field(default_factory=dict)
    fingerprint: Mapping[str, Any] | None = None
    own: Set[str] = frozenset()


class RunFile:
    """Adds a segment to a run file; it is there after the first line."""

    announced = 1  # pictures at once, before the first of them is begun

    def __init__(self, results: Path, fingerprint: Mapping[str, Any], segment: str = "") -> None:
        """`fingerprint` is what the results depend on besides their sources.

        `segment` is what the segment's name begins with; by default the time.
        """
        self._folder, self._fingerprint = results / RUN_FOLDER, fingerprint
        self._name = f"{segment or f'{time.time_ns():020d}'}-{secrets.token_hex(4)}{SEGMENT_SUFFIX}"
        self._segment: TextIO | None = None

    def __enter__(self) -> "RunFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._segment is not None:
            self._segment.close()

    def add(self, record: PictureRecord) -> None:
        """Add a picture's record."""
        self._write(record_line(record))

    def flush(self) -> None:
        """Do nothing: what was added is with the operating system."""

    def _write(self, line: str) -> None:
        """Add a line; it is with the operating system when this returns."""
        try:
            if self._segment is None:
                make_folder(self._folder)
                self._segment = (self._folder / self._name).open("x", encoding="utf-8")
                self._segment.write(segment_line(self._fingerprint))
            self._segment.write(line)
            self._segment.flush()
        except OSError as error:
            cause = f"can't write the run file in {self._folder} ({error.strerror})"
            raise OutputError(cause, "make room, or name another folder with -o") from error


def record_line(record: PictureRecord) -> str:
    """Return a picture's record as a line of a segment."""
    row = {name: getattr(record, name) for name in PictureRecord.__slots__}
    return _line({name: value for name, value in row.items() if value not in ("", 0)})


def segment_line(fingerprint: Mapping[str, Any]) -> str:
    """Return the first line of a segment."""
    return _line({"fingerprint": fingerprint})


def _line(row: Mapping[str, Any]) -> str:
    """Return a row as a line of JSON; bytes of names that are no text become escapes."""
    return json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n"


def read_run_file(results: Location, segment: str = "") -> RunHistory:
    """Return what the run file in a folder of results says; lines that are torn don't count.

    Only segments are read whose names begin with `segment`; in a store, those in its folder.
    """
    records: dict[str, PictureRecord] = {}
    fingerprint: Mapping[str, Any] | None = None
    own: set[str] = set()
    for text in _segment_texts(results / RUN_FOLDER, segment):
        for row in _rows(text):
            if isinstance(row.get("fingerprint"), dict):
                kept = {key: v for key, v in (fingerprint or {}).items() if key in OPTIONAL_FACTS}
                fingerprint = kept | row["fingerprint"]
            elif (record := _as_record(row)) is not None:
                if record.state != "failed":
                    own.add(record.target)
                known = records.get(record.target)
                if known is None or record.at >= known.at:
                    records[record.target] = record
    return RunHistory(records, fingerprint, own)


def _segment_texts(folder: Location, beginning: str) -> Iterator[str]:
    """Yield the texts of segments whose names begin so, or in that folder, the oldest first.

    One that is gone is empty.
    """
    if isinstance(folder, StoredFile):
        found = (folder / beginning).files()
        segments = [each for each in found if each.suffix == SEGMENT_SUFFIX]
        with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
            for data in pool.map(_stored_bytes, segments):
                yield data.decode(errors="replace")
        return
    for path in _segments(folder, beginning):
        try:
            yield path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


def _stored_bytes(segment: StoredFile) -> bytes:
    """Return the bytes of a segment in a store; none of one that is gone."""
    try:
        return segment.read()
    except MissingObjectError:
        return b""


def _segments(folder: Path, beginning: str) -> list[Path]:
    """Return the segments of a run file whose names begin so, the oldest first."""
    try:
        found = [path for path in folder.iterdir() if path.name.startswith(beginning)]
        return sorted(path for path in found if path.suffix == SEGMENT_SUFFIX)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        cause = f"can't read the run file in {folder} ({error.strerror})"
        raise OutputError(cause, "name another folder with -o") from error


def _rows(text: str) -> list[dict[str, Any]]:
    """Return the lines of a segment that are whole."""
    found = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def _as_record(row: Mapping[str, Any]) -> PictureRecord | None:
    """Return a line as a record; None for one that is none."""
    texts = {name: row.get(name, "") for name in ("target", "source", "sha256", "cause", "remedy")}
    numbers = {name: row.get(name, 0) for name in ("size", "mtime_ns", "ms", "at")}
    state = row.get("state")
    if not (
        state in ("began", "done", "failed")
        and all(isinstance(text, str) for text in texts.values())
        and all(type(number) in (int, float) for number in numbers.values())
        and texts["target"]
    ):
        return None
    return PictureRecord(state=state, **texts, **numbers)


def check_fingerprint(history: RunHistory, fingerprint: Mapping[str, Any]) -> None:
    """Raise SettingError if a run file's results were made in another way, saying what differs."""
    before = history.fingerprint
    if before is None:
        return
    in_one_alone = OPTIONAL_FACTS & {*before}.symmetric_difference(fingerprint)
    differences = [
        f"{name} was {_shown(before, name)} and is {_shown(fingerprint, name)}"
        for name in sorted({*before, *fingerprint} - in_one_alone)
        if _shown(before, name) != _shown(fingerprint, name)
    ]
    if not differences:
        return
    cause = "the results there were made with other settings: " + "; ".join(differences[:4])
    raise SettingError(cause, "give the same settings, or another folder with -o")


def _shown(fingerprint: Mapping[str, Any], name: str) -> str:
    """Return a value of a fingerprint as text."""
    return json.dumps(fingerprint[name]) if name in fingerprint else "not there"


def source_state(source: Location) -> tuple[int, int]:
    """Return a file's size and time of change; zeros if there is no such file."""
    if isinstance(source, StoredFile):
        return source.state()
    try:
        status = source.stat()
    except (OSError, ValueError):
        return 0, 0
    return status.st_size, status.st_mtime_ns
