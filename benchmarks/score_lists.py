"""The lists of pictures that score.py measures, and the rule by which they were chosen.

A list is a file of lines as `sha256sum` writes them: a picture, then its truth, both as paths below
DATA, with `# KIND` above each kind of picture.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from held_back import RECIPES
from speed_pair import CLIP, PORTRAIT

from matte.datasets.layouts import list_set
from matte.datasets.samples import Entry
from matte.training.collection import name_fraction
from matte.training.recipes import read_recipe
from matte.weights.store import all_weights

LISTS = Path(__file__).parent / "lists"


@dataclass(frozen=True, slots=True)
class Source:
    """A data set of which a list takes the first `count` pictures; `prefixes` of their names."""

    kind: str
    folder: str
    layout: str
    count: int
    prefixes: tuple[str, ...] = ("",)


SOURCES: dict[str, tuple[Source, ...]] = {
    "people": (
        Source("portraits and groups", "person_seg/vikram", "pairs", 12),
        Source("people in scenes", "person_seg/voc_person", "pairs", 12),
        Source("everyday scenes", "person_seg/coco_person", "pairs", 12),
        Source("selfies", "subjects/eg1800", "pairs", 12),
    ),
    "objects": (
        Source("salient objects", "subjects/ecssd", "pairs", 15),
        Source("horses", "subjects/horse", "pairs", 10),
    ),
    # am2ks, p3ms and aim_1 … 3 are networks' predictions, not truths.
    "mattes": (
        Source("portraits", "matting_gt/aisegment60", "alphas", 12),
        Source("people with hair", "matting_gt/author_demos", "alphas", 12, ("p3m_",)),
        Source("animals with fur", "matting_gt/author_demos", "alphas", 12, ("am2k_",)),
        Source("objects", "matting_gt/author_demos", "alphas", 12, ("aim_o_",)),
        Source("things", "matting_gt/alphamatting_lowres", "alphamatting", 12),
    ),
}


@dataclass(frozen=True, slots=True)
class ListedPicture:
    """A picture of a list with its truth, both as paths below DATA."""

    kind: str
    picture: str
    truth: str


def list_file(name: str) -> Path:
    """Return the file of a list."""
    return LISTS / f"{name}.sha256"


def verified(name: str, data: Path) -> list[ListedPicture]:
    """Return a list's pictures, once all its files are there and the right ones."""
    for line in list_file(name).read_text().splitlines():
        digest, _, path = line.partition("  ")
        file = data / path
        if line.startswith("#") or (file.is_file() and sha256(file) == digest):
            continue
        problem = "is another file than was listed" if file.is_file() else "is missing"
        raise SystemExit(f"{file} {problem}: scores are of the listed pictures alone")
    return read_list(name)


def read_list(name: str) -> list[ListedPicture]:
    """Return a list's pictures: each has a line, its truth the next; `# KIND` stands above."""
    kind, found = "", []
    lines = iter(list_file(name).read_text().splitlines())
    for line in lines:
        if line.startswith("#"):
            kind = line.removeprefix("# ")
            continue
        picture, truth = (each.partition("  ")[2] for each in (line, next(lines)))
        found.append(ListedPicture(kind, picture, truth))
    return found


def sha256(file: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def choose(data: Path) -> None:
    """Write the lists by the rule, for the shipped networks' recipes of today."""
    LISTS.mkdir(exist_ok=True)
    for name, sources in SOURCES.items():
        lines = []
        for source in sources:
            lines.append(f"# {source.kind}")
            for entry in chosen_entries(source, data):
                assert entry.truth is not None
                lines += [hash_line(file, data) for file in (entry.picture, entry.truth)]
        write_lines(name, lines)
    write_lines("speed", [hash_line(data / name, data) for name in (PORTRAIT, CLIP)])


def hash_line(file: Path, data: Path) -> str:
    """Return a line as `sha256sum` writes it."""
    return f"{sha256(file)}  {file.relative_to(data).as_posix()}"


def write_lines(name: str, lines: Iterable[str]) -> None:
    """Write a list."""
    list_file(name).write_text("\n".join(lines) + "\n")


def chosen_entries(source: Source, data: Path) -> list[Entry]:
    """Return the source's first pictures by the hash of their names, none of them trained on."""
    share = held_back_share(source.folder)
    entries = [
        entry
        for entry in list_set(data / source.folder, source.layout).entries
        if entry.truth
        and name_fraction(entry.name) < share
        and entry.name.startswith(source.prefixes)
    ]
    return sorted(entries, key=lambda entry: name_fraction(entry.name))[: source.count]


def held_back_share(folder: str) -> float:
    """Return the share of a folder that every shipped recipe holds back; 1 if none trains on it."""
    shares = [1.0]
    for weights in all_weights().values():
        if not weights.recipe:
            continue
        recipe = read_recipe(RECIPES[weights.kind], weights.recipe)
        for chosen in recipe.data:
            if chosen.folder == folder:
                default = recipe.collect.held_back
                shares.append(default if chosen.held_back < 0 else chosen.held_back)
    return min(shares)


def trained_on(pictures: list[ListedPicture]) -> int:
    """Return how many of the pictures a shipped recipe of today trains on, by its rule of names."""
    return sum(
        name_fraction(Path(each.picture).stem)
        >= held_back_share(str(Path(each.picture).parents[1]))
        for each in pictures
    )
