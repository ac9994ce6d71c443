"""A folder on a disk as a store."""

import os
from collections.abc import Iterator
from pathlib import Path

from matte.errors import ExistingObjectError, MissingObjectError, OutputError, StoreError
from matte.files import make_folder, write_file
from matte.limits import MAX_DOWNLOAD_BYTES, check_bytes
from matte.stores.protocol import ObjectFacts, ReadObject, check_name


class FolderStore:
    """The files in and below a folder, which need not be there yet."""

    retries = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def address(self, name: str = "") -> str:
        """Return the path of a file, or of the folder."""
        return str(self._folder / name)

    def objects(self, below: str = "") -> Iterator[ObjectFacts]:
        """Yield the files in and below a folder by name."""
        names = []
        for place, _, files in os.walk(self._folder / below):
            names += [Path(place, file).relative_to(self._folder).as_posix() for file in files]
        for name in sorted(names):
            found = self.facts(name)
            if found is not None:  # it may have gone meanwhile
                yield found

    def facts(self, name: str) -> ObjectFacts | None:
        """Return a file's size and time of change; None if there is no such file."""
        path = self._path(name)
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._error("read", name, error) from error
        return ObjectFacts(name, status.st_size, status.st_mtime_ns) if path.is_file() else None

    def read(self, name: str, max_bytes: int = MAX_DOWNLOAD_BYTES) -> ReadObject:
        """Return a file's bytes."""
        facts = self.facts(name)
        if facts is None:
            raise MissingObjectError(f"{self.address(name)} is not there", "look at its folder")
        check_bytes(self.address(name), facts.size, max_bytes, StoreError, "give a smaller one")
        try:
            return ReadObject(self._path(name).read_bytes(), facts)
        except OSError as error:
            raise self._error("read", name, error) from error

    def write(self, name: str, data: bytes, overwrite: bool = False) -> None:
        """Write a file, and the folders above it."""
        path = self._path(name)
        try:
            make_folder(path.parent)
            write_file(path, data, overwrite)
        except OutputError as error:
            is_there = not overwrite and os.path.lexists(path)
            raise (ExistingObjectError if is_there else StoreError)(
                error.cause, error.remedy
            ) from error

    def delete(self, name: str) -> None:
        """Remove a file if it is there; its folder stays."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise self._error("remove", name, error) from error

    def _path(self, name: str) -> Path:
        """Return the path of a file."""
        return self._folder / check_name(name)

    def _error(self, doing: str, name: str, error: OSError) -> StoreError:
        """Return the error to raise where the system refuses to do something to a file."""
        cause = f"can't {doing} {self.address(name)} ({error.strerror})"
        return StoreError(cause, "look at its folder's permissions")
