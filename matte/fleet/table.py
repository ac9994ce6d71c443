"""The table of results and errors, as Parquet."""

import importlib
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from matte.errors import BackendError, install_command
from matte.files import check_output, make_folder
from matte.fleet.rows import ResultRow
from matte.photos.locations import Location, check_stored_output
from matte.placement import (
    PendingFile,
    create_file,
    pending_file,
    place_files,
    remove_quietly,
    write_error,
)
from matte.stores.stored_file import StoredFile

GROUP_ROWS = 10_000  # that are held in memory, and stand together in the file
# Arrow's types by the columns' names; texts otherwise.
TYPES = {
    "size": "int64",
    "ms": "int64",
    "at": "float64",
    "width": "int32",
    "height": "int32",
    "subject": "bool_",
    "process": "int64",
    "retries": "int64",
}


class ResultTable:
    """Writes rows to a Parquet file, which is there once the `with` block ends without an error.

    One for a store is written on the disk first.
    """

    def __init__(self, place: Location, overwrite: bool = False) -> None:
        self._cleanup = ExitStack()
        self._stored = place if isinstance(place, StoredFile) else None
        self._overwrite = overwrite
        if isinstance(place, StoredFile):
            check_stored_output(place, overwrite)
            folder = self._cleanup.enter_context(TemporaryDirectory(prefix="matte-table-"))
            path = Path(folder, "table.parquet")
        else:
            path = place
            make_folder(path.parent)
            check_output(path, overwrite)
        self._arrow = import_arrow()
        columns = [
            (name, getattr(self._arrow, TYPES.get(name, "string"))())
            for name in ResultRow.__slots__
        ]
        self._schema = self._arrow.schema(columns)
        self._pending: PendingFile = pending_file(path, overwrite)
        self._rows: list[dict[str, Any]] = []
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> "ResultTable":
        self._cleanup.callback(remove_quietly, self._pending.temporary)
        try:
            self._file = self._cleanup.enter_context(create_file(self._pending.temporary))
        except OSError as error:
            raise write_error(self._pending.path, error) from error
        parquet = importlib.import_module("pyarrow.parquet")
        self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._cleanup:
            if error is not None:
                with suppress(OSError):
                    self._writer.close()
                return
            self._write_group()
            self._guarded(self._writer.close)
            self._guarded(self._file.close)  # what it holds has to be there before its name is
            place_files([self._pending])
            if self._stored is not None:
                self._stored.write(self._pending.path.read_bytes(), self._overwrite)

    def add(self, row: ResultRow) -> None:
        """Add a row."""
        self._rows.append({name: _as_cell(value) for name, value in asdict(row).items()})
        if len(self._rows) >= GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        """Write the rows that are held."""
        table = self._arrow.Table.from_pylist(self._rows, schema=self._schema)
        self._guarded(self._writer.write_table, table)
        self._rows = []

    def _guarded(self, write: Any, *arguments: Any) -> None:
        """Write something; that the disk takes no more is an error of matte."""
        try:
            write(*arguments)
        except OSError as error:
            raise write_error(self._pending.path, error) from error


def import_arrow() -> Any:
    """Return Arrow, which Ray Data brings along; raise with what installs it."""
    try:
        return importlib.import_module("pyarrow")
    except ModuleNotFoundError as error:
        raise BackendError("a table of results needs pyarrow", install_command("fleet")) from error


def _as_cell(value: Any) -> Any:
    """Return a value for a table; bytes of names that are no text become escapes."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    return value
