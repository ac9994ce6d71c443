"""The photos of a run, and the file that each result goes to."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from matte.errors import PictureError, SettingError
from matte.files import RESULT_SUFFIX, STREAM
from matte.media.encoding import LAYERED, WRITABLE
from matte.media.pictures import READABLE
from matte.photos.locations import Location, is_folder, is_inside
from matte.stores.stored_file import StoredFile


@dataclass(frozen=True, slots=True)
class PhotoJob:
    """A photo and the file that its result is written to."""

    source: Location
    target: Location
    makes_folder: bool = False
    """Whether the target's folder is made if it is missing."""
    replaces: bool = False
    """Whether the target may be replaced, because an earlier run has made it."""


def results_folder(files: Sequence[Location], output: Location | None) -> Location | None:
    """Return the folder that the results of several pictures go to; None if there is none."""
    is_named = output is not None and output != STREAM
    many = len(files) > 1 or any(map(is_folder, files))
    return output if is_named and many else None


def plan_jobs(files: Sequence[Location], output: Location | None, ending: str) -> list[PhotoJob]:
    """Return a job for every file, and for every picture in and below every folder.

    `output` names a file, for one picture, or a folder, in which the tree of a folder is mirrored.
    Without it results lie beside their pictures, and that of `-` goes to standard output.
    """
    folders = [file for file in files if is_folder(file)]
    many = len(files) > 1 or bool(folders)
    if output == STREAM and many:
        raise SettingError("several pictures can't go to standard output", "name a folder with -o")
    if list(files).count(STREAM) > 1:
        raise SettingError("standard input is named twice", "give one -")
    into = output if output is not None and (many or is_folder(output)) else None
    if into is not None and many and into.suffix.lower() in (*WRITABLE, *LAYERED):
        raise SettingError(f"{into} is not a folder", "with several pictures, -o names a folder")
    jobs: list[PhotoJob] = []
    for file in files:
        if file in folders:
            below = Path() if len(files) == 1 else Path(_folder_name(file))
            jobs += folder_jobs(file, into, below, lambda _: ending)
        elif into is not None:
            name = "stdin" if file == STREAM else file.stem
            jobs.append(PhotoJob(file, into / f"{name}{RESULT_SUFFIX}{ending}", many))
        else:
            beside = (
                STREAM if file == STREAM else file.parent / f"{file.stem}{RESULT_SUFFIX}{ending}"
            )
            jobs.append(PhotoJob(file, output or beside))
    return jobs


def _folder_name(folder: Location) -> str:
    """Return what a folder is called, however it is named: "." too has a name."""
    return folder.name if isinstance(folder, StoredFile) else folder.resolve().name


def folder_jobs(
    folder: Location,
    into: Location | None,
    below: Path,
    ending_for: Callable[[Location], str],
    kinds: Collection[str] = READABLE,
) -> Iterator[PhotoJob]:
    """Yield the jobs of the files in and below a folder, without the results of earlier runs.

    `kinds` are the endings of the files; `ending_for` returns that of a file's result. Raises
    PictureError if there are none.
    """
    found = list(_files_of_kinds(folder, kinds))
    if into is not None and not is_inside(folder, into):
        found = [path for path in found if not is_inside(path, into)]
    results = {
        path.with_name(name + RESULT_SUFFIX) for path in found for name in (path.stem, path.name)
    }
    found = [path for path in found if path.with_suffix("") not in results]
    if not found:
        raise PictureError(f"no pictures in {folder}", "it may hold " + " ".join(sorted(kinds)))
    # Those that share a stem keep their ending in their result's name; so does one whose stem is
    # another's name, so that no two results are alike.
    stems, whole = Counter(path.with_suffix("") for path in found), set(found)
    for path in found:
        stem = path.with_suffix("")
        name = path.name if stems[stem] > 1 or stem in whole else path.stem
        place = path.parent if into is None else into / below / _path_below(path.parent, folder)
        target = place / f"{name}{RESULT_SUFFIX}{ending_for(path)}"
        yield PhotoJob(path, target, makes_folder=True)


def skipped_files(folder: Path, into: Location | None) -> list[Path]:
    """Return the files in and below a folder that are no pictures by their names.

    Hidden ones, earlier results and what lies in the folder `into` of results don't count.
    """
    found = [
        path
        for path in _paths(folder)
        if path.suffix.lower() not in READABLE
        and not path.stem.endswith(RESULT_SUFFIX)
        and path.is_file()
    ]
    if into is None or is_inside(folder, into):
        return found
    return [path for path in found if not is_inside(path, into)]


def _path_below(location: Location, folder: Location) -> PurePath:
    """Return the path from a folder to what lies in it."""
    if isinstance(location, StoredFile):
        assert isinstance(folder, StoredFile)
        return location.relative_to(folder)
    assert isinstance(folder, Path)
    return location.relative_to(folder)


def _files_of_kinds(folder: Location, kinds: Collection[str]) -> Iterator[Location]:
    """Yield all files with these endings by name, without hidden ones and hidden folders'."""
    if not isinstance(folder, StoredFile):
        for path in _paths(folder):
            if path.suffix.lower() in kinds or os.path.isdir(path):  # never raises
                yield path
        return
    for file in folder.files():
        is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not is_hidden and file.suffix.lower() in kinds:
            yield file


def _paths(folder: Path) -> Iterator[Path]:
    """Yield all files by name, without hidden ones, and the folders that can't be read.

    Those then fail.
    """
    unreadable: list[OSError] = []
    for place, subfolders, names in os.walk(folder, onerror=unreadable.append):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(place, name)
    for error in unreadable:
        path = Path(error.filename)
        if path == folder:
            raise PictureError(f"can't read {folder} ({error.strerror})", "name a picture")
        yield path
