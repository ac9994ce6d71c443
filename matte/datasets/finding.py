"""Files of a data set found by folder and name, without opening them."""

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matte.datasets.samples import Entry, Kind, Listing
from matte.errors import PictureError

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
# What macOS adds to archives; hidden files and folders are left out too.
IGNORED_NAMES = ("__MACOSX",)
Broken = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files by name, sorted, and those whose names are not unique.

    A name is the path below the folder searched, with slashes and without the ending, in composed
    Unicode: macOS and Linux then agree on umlauts.
    """

    files: dict[str, Path]
    broken: tuple[Broken, ...] = ()


def find_subfolder(folder: Path, *names: str) -> Path | None:
    """Return the first of `names` that is a folder in `folder`, in upper or lower case."""
    there = {child.name.lower(): child for child in visible_folders(folder)}
    return next((there[name.lower()] for name in names if name.lower() in there), None)


def visible_folders(folder: Path) -> list[Path]:
    """Return the folders in `folder`, without hidden ones, sorted by name."""
    try:
        return sorted(p for p in folder.iterdir() if _is_visible(p.name) and p.is_dir())
    except OSError as error:
        raise _unreadable_error(error) from error


def find_files(
    within: Iterable[Path | None],
    endings: Collection[str] = PICTURES,
    rename: Callable[[str], str] = str,
) -> FoundFiles:
    """Find the files with one of the endings in the folders and below; `rename` changes names."""
    named: dict[str, list[Path]] = {}
    for folder in within:
        for path in _iterate_files(folder) if folder else ():
            if path.suffix.lower() in endings:
                name = path.relative_to(folder or "").with_suffix("").as_posix()
                named.setdefault(rename(unicodedata.normalize("NFC", name)), []).append(path)
    files = {name: named[name][0] for name in sorted(named) if len(named[name]) == 1}
    broken = [
        (paths[0], "one name for " + " and ".join(path.name for path in paths))
        for _, paths in sorted(named.items())
        if len(paths) > 1
    ]
    return FoundFiles(files, tuple(broken))


def pair_files(
    kind: Kind, pictures: FoundFiles, truths: FoundFiles, classes: tuple[int, ...] = ()
) -> Listing:
    """List each picture with the truth of its name; those without a partner are named as broken."""
    word = "alpha" if kind == "alpha" else "mask"
    twice = {path.stem for path, _ in (*pictures.broken, *truths.broken)}
    entries = [
        Entry(name, kind, path, truths.files[name], classes)
        for name, path in pictures.files.items()
        if name in truths.files
    ]
    single = [
        (path, f"no {word} of this name")
        for name, path in pictures.files.items()
        if name not in truths.files and path.stem not in twice
    ]
    single += [
        (path, "no picture of this name")
        for name, path in truths.files.items()
        if name not in pictures.files and path.stem not in twice
    ]
    return Listing(tuple(entries), (*pictures.broken, *truths.broken, *single))


def _iterate_files(folder: Path) -> Iterator[Path]:
    """Iterate over the visible files in the folder and below, sorted by name."""
    for place, below, names in os.walk(folder, onerror=_raise_unreadable):
        below[:] = sorted(name for name in below if _is_visible(name))
        yield from (Path(place) / name for name in sorted(names) if _is_visible(name))


def _is_visible(name: str) -> bool:
    """Return whether a file or folder of this name counts: not hidden, no archive's extra."""
    return not name.startswith(".") and name not in IGNORED_NAMES


def _raise_unreadable(error: OSError) -> None:
    """Raise the error of a folder that can't be read, as `os.walk` wants it."""
    raise _unreadable_error(error) from error


def _unreadable_error(error: OSError) -> PictureError:
    """Return the error to raise for a folder that can't be read."""
    return PictureError(f"can't read {error.filename} ({error.strerror})", "name a folder")
