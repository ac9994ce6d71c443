"""Files of a data set found by folder and name, without opening them."""

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matte.datasets.samples import Entry, Kind, Listing
from matte.errors import PictureError

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
NOT_OURS = ("__MACOSX",)  # what macOS adds to archives; hidden files and folders are left out too
Broken = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class Found:
    """Files by name, sorted, and those whose names are not unique.

    A name is the path below the folder searched, with slashes and without the ending, in composed
    Unicode: macOS and Linux then agree on umlauts.
    """

    files: dict[str, Path]
    broken: tuple[Broken, ...] = ()


def subfolder(folder: Path, *names: str) -> Path | None:
    """The first of `names` that is a folder in `folder`, upper and lower case being the same."""
    there = {child.name.lower(): child for child in folders(folder)}
    return next((there[name.lower()] for name in names if name.lower() in there), None)


def folders(folder: Path) -> list[Path]:
    """The folders in `folder`, without hidden ones, by name."""
    try:
        return sorted(p for p in folder.iterdir() if _ours(p.name) and p.is_dir())
    except OSError as error:
        raise _unreadable(error) from error


def found(
    within: Iterable[Path | None],
    endings: Collection[str] = PICTURES,
    rename: Callable[[str], str] = str,
) -> Found:
    """The files with one of the endings in the folders and below; `rename` changes their names."""
    named: dict[str, list[Path]] = {}
    for folder in within:
        for path in _walk(folder) if folder else ():
            if path.suffix.lower() in endings:
                name = path.relative_to(folder or "").with_suffix("").as_posix()
                named.setdefault(rename(unicodedata.normalize("NFC", name)), []).append(path)
    files = {name: named[name][0] for name in sorted(named) if len(named[name]) == 1}
    broken = [
        (paths[0], "one name for " + " and ".join(path.name for path in paths))
        for _, paths in sorted(named.items())
        if len(paths) > 1
    ]
    return Found(files, tuple(broken))


def paired(kind: Kind, pictures: Found, truths: Found, classes: tuple[int, ...] = ()) -> Listing:
    """Each picture with the truth of its name; those that have none, and the truths left over."""
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


def _walk(folder: Path) -> Iterator[Path]:
    for place, below, names in os.walk(folder, onerror=_refuse):
        below[:] = sorted(name for name in below if _ours(name))
        yield from (Path(place) / name for name in sorted(names) if _ours(name))


def _ours(name: str) -> bool:
    return not name.startswith(".") and name not in NOT_OURS


def _refuse(error: OSError) -> None:
    raise _unreadable(error) from error


def _unreadable(error: OSError) -> PictureError:
    return PictureError(f"can't read {error.filename} ({error.strerror})", "name a folder")
