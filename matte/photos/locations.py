"""Where photos come from and results go to: files on a disk, and objects in stores."""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from matte.errors import ExistingObjectError, OutputError
from matte.files import STREAM, file_facts
from matte.media.encoding import LAYERED, WRITABLE
from matte.media.pictures import READABLE
from matte.stores.stored_file import StoredFile

Location = Path | StoredFile
CALLS_AT_ONCE = 16  # to a store, of those that wait for nothing but its answer
MAX_ASKED = 64  # objects that are asked for one by one; more are found in a list of their folder


def is_folder(location: Location) -> bool:
    """Return whether this is a folder; in a store, what has no picture's ending is one."""
    if isinstance(location, StoredFile):
        return location.suffix.lower() not in (*READABLE, *WRITABLE, *LAYERED)
    return location != STREAM and os.path.isdir(location)


def is_inside(location: Location, folder: Location) -> bool:
    """Return whether this is the folder, or lies below it."""
    if isinstance(location, StoredFile) or isinstance(folder, StoredFile):
        both = isinstance(location, StoredFile) and isinstance(folder, StoredFile)
        return both and location.is_inside(folder)  # type: ignore[union-attr,arg-type]  # both are
    return Path(os.path.realpath(location)).is_relative_to(os.path.realpath(folder))


def absolute(location: Location) -> Location:
    """Return a location that is found from any folder."""
    return Path(os.path.abspath(location)) if isinstance(location, Path) else location


def on_disk(location: Location) -> Path:
    """Return a location that can only be a path, as one."""
    assert isinstance(location, Path), location
    return location


def local_files(locations: Iterable[Location]) -> list[Path]:
    """Return those that are files on a disk."""
    return [each for each in locations if isinstance(each, Path) and each != STREAM]


def stored_files(locations: Iterable[Location]) -> list[StoredFile]:
    """Return those that are in stores."""
    return [each for each in locations if isinstance(each, StoredFile)]


def location_facts(location: Location) -> dict[str, str]:
    """Return a name and a SHA-256 for a report: of an object, that of what was read of it."""
    if isinstance(location, StoredFile):
        return {"file": str(location), "sha256": location.sha256}
    return file_facts(location)


def current_sha256(location: Location) -> str:
    """Return the SHA-256 of what is there now; "" if it can't be read."""
    if isinstance(location, StoredFile):
        return location.content_sha256()
    return file_facts(location)["sha256"]


def existing(locations: Sequence[Location], results: Location | None = None) -> set[Location]:
    """Return which of them are there; those in stores are listed, or few are asked for at once.

    `results` is a folder that holds all of them, if there is one.
    """
    found: set[Location] = {path for path in local_files(locations) if os.path.lexists(path)}
    asked = stored_files(locations)
    if len(asked) > MAX_ASKED and isinstance(results, StoredFile):
        return found | (set(results.files()) & set(asked))
    return found | set(_filtered(asked, StoredFile.exists))


def _filtered(
    objects: Sequence[StoredFile], test: Callable[[StoredFile], bool]
) -> list[StoredFile]:
    """Return the objects that pass a test; many are tested at once."""
    if not objects:
        return []
    with ThreadPoolExecutor(min(CALLS_AT_ONCE, len(objects))) as pool:
        return [
            each for each, passes in zip(objects, pool.map(test, objects), strict=True) if passes
        ]


def check_stored_outputs(
    outputs: Iterable[tuple[StoredFile, Collection[str]]], sources: Iterable[StoredFile]
) -> None:
    """Raise OutputError if an output has none of its endings, or is a source or another output."""
    used = set(sources)
    for target, endings in outputs:
        if target.suffix.lower() not in endings:
            remedy = "end it in " + ", ".join(sorted(endings))
            raise OutputError(f"can't write {target.name}", remedy)
        if target in used:
            raise OutputError(f"{target} is named twice", "give every file its own name")
        used.add(target)


def check_stored_output(target: StoredFile, overwrite: bool) -> None:
    """Raise ExistingObjectError if an object is there and must not be replaced."""
    if not overwrite and target.exists():
        raise ExistingObjectError(f"{target} exists", "choose another name or add --overwrite")
