"""The frozen benchmark: what a release of matte reaches, and how fast, on fixed pictures.

    make score DATA=FOLDER
    python benchmarks/score.py DATA [--only quality speed] [--json FILE]
    python benchmarks/score.py DATA --choose

The lists in benchmarks/lists name pictures and truths below DATA with their SHA-256 (`sha256sum -c`
reads them); a file that is missing or another one ends the run. Of people and objects the truth
is a mask, of mattes alpha. Quality, through ONNX Runtime in fp32, so that machines agree:

- iou: alpha of at least one half against the true mask, mean over pictures;
- mad, sad (in thousands): mean and summed absolute difference over the whole picture;
- refined: the same in the unknown band of a trimap that was drawn from the truth.

Each comes with its 95 % bootstrap interval, for every list and every kind of picture in it. Speed
is measured apart, with what the machine chooses by itself: see speed_pair.py for what is timed.
Writes benchmarks/results/score-VERSION.json, quality and speed with the machine of each.

`--choose` writes the lists anew: of each set the pictures that come first by the number that also
splits training sets (a hash of the name), without those that any shipped recipe trains on.
"""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import harness
import numpy as np
from harness import Row
from held_back import RECIPES
from speed_pair import CLIP, MEASURES, PORTRAIT, Checkout, enlarge_clip

import matte
from matte.arrays import BACKGROUND, SUBJECT, Alpha, Mask, Trimap
from matte.bench.timings import summarise_timings
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry
from matte.evaluation.pairs import MatteCase
from matte.evaluation.trimaps import from_alpha
from matte.media.pictures import read_alpha, read_image
from matte.metrics import intervals
from matte.metrics.masks import subject_iou
from matte.metrics.mattes import mad, sad
from matte.training.collection import name_fraction
from matte.training.recipes import read_recipe
from matte.weights.store import all_weights

LISTS = Path(__file__).parent / "lists"
PRESETS = ("fast", "balanced")  # best is balanced for pictures
PINNED = {"backend": "onnx", "precision": "fp32"}
BAND = 15  # pixels: the mean width of the trimaps that are drawn from the truth
ROUNDS = 5


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
        Source("moving subjects", "subjects/davis", "pairs", 10),
    ),
    # am2ks, p3ms and aim_1 … 3 are networks' predictions, not truths.
    "mattes": (
        Source("portraits", "matting_gt/aisegment60", "alphas", 12),
        Source("people with hair", "matting_gt/author_demos", "alphas", 12, ("p3m_",)),
        Source("animals with fur", "matting_gt/author_demos", "alphas", 12, ("am2k_",)),
        Source("objects", "matting_gt/author_demos", "alphas", 12, ("aim_o_",)),
    ),
}


@dataclass(frozen=True, slots=True)
class ListedPicture:
    """A picture of a list with its truth, both as paths below DATA."""

    kind: str
    picture: str
    truth: str


def main() -> None:
    """Measure, print, write; or choose the pictures."""
    parser = harness.parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=("quality", "speed"))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the speed's measures")
    parser.add_argument("--choose", action="store_true")
    options = parser.parse_args()
    file = options.json or harness.RESULTS / f"score-{matte.__version__}.json"
    if options.choose:
        choose(options.data)
        return
    warnings.simplefilter("ignore", matte.MatteWarning)  # nobody found: the scores say it
    with tempfile.TemporaryDirectory() as home:
        os.environ["MATTE_HOME"] = home  # the user's own settings and networks take no part
        if not options.only or "quality" in options.only:
            lists = {name: verified(name, options.data) for name in SOURCES}
            harness.write_part(file, "quality", quality(lists, options.data))
        if not options.only or "speed" in options.only:
            harness.write_part(file, "speed", speed(options.data, options.rounds))


def quality(lists: dict[str, list[ListedPicture]], data: Path) -> Row:
    """Return the scores of every list by preset."""
    trained = {name: trained_on(pictures) for name, pictures in lists.items()}
    report: Row = {**PINNED, "lists": {}, "trained_on": trained}
    for name, pictures in lists.items():
        report["lists"][name] = {}
        for preset in PRESETS:
            pipeline = matte.load(preset, **PINNED)
            measure = matte_scores if name == "mattes" else mask_scores
            values = [measure(pipeline, data, picture) for picture in pictures]
            kinds = [picture.kind for picture in pictures]
            scored = by_kind(kinds, values)
            report["lists"][name][preset] = scored
            harness.show(flat(scored), f"{name}, {preset}")
    return report


def mask_scores(pipeline: matte.Pipeline, data: Path, picture: ListedPicture) -> dict[str, float]:
    """Return how well a picture's alpha meets its true mask."""
    alpha = pipeline(data / picture.picture).alpha
    entry = Entry(picture.picture, "mask", data / picture.picture, data / picture.truth)
    return {"iou": subject_iou(cut(alpha), Trimap(read_sample(entry).truth))}


def matte_scores(pipeline: matte.Pipeline, data: Path, picture: ListedPicture) -> dict[str, float]:
    """Return how well alpha meets the true alpha, from the photo alone and from a trimap."""
    image = read_image(data / picture.picture)
    truth = read_alpha(data / picture.truth)
    alpha = pipeline(image).alpha
    trimap = from_alpha(BAND).draw(picture.picture, image, truth)
    refined = pipeline(image, trimap=trimap).alpha
    whole, band = np.ones(truth.shape, bool), MatteCase("", image, truth, trimap).region
    true_mask = Trimap(np.where(truth >= 0.5, SUBJECT, BACKGROUND).astype(np.uint8))
    return {
        "iou": subject_iou(cut(alpha), true_mask),
        "mad": mad(alpha, truth, whole),
        "sad": sad(alpha, truth, whole),
        "refined_mad": mad(refined, truth, band),
        "refined_sad": sad(refined, truth, band),
    }


def cut(alpha: Alpha) -> Mask:
    """Return the mask of what is at least half the subject's."""
    return Mask(np.where(alpha >= 0.5, SUBJECT, BACKGROUND).astype(np.uint8))


def by_kind(kinds: list[str], values: list[dict[str, float]]) -> Row:
    """Return the number of pictures, means and intervals of all and of each kind."""
    scored = {}
    for kind in ("all", *dict.fromkeys(kinds)):
        of_kind = [row for row, its in zip(values, kinds, strict=True) if kind in ("all", its)]
        scored[kind] = {"pictures": len(of_kind)} | {
            metric: interval([row[metric] for row in of_kind]) for metric in of_kind[0]
        }
    return scored


def interval(values: list[float]) -> dict[str, float]:
    """Return the mean and its 95 % bootstrap interval."""
    found = intervals.mean_interval(values)
    return {
        name: float(f"{number:.5g}")
        for name, number in (("mean", found.value), ("low", found.low), ("high", found.high))
    }


def flat(scored: Row) -> Iterator[Row]:
    """Yield a line of text for each kind."""
    for kind, row in scored.items():
        yield {"kind": kind, "pictures": row["pictures"]} | {
            metric: f"{found['mean']:.4g} [{found['low']:.4g} … {found['high']:.4g}]"
            for metric, found in row.items()
            if isinstance(found, dict)
        }


def speed(data: Path, rounds: int) -> Row:
    """Return the milliseconds of photos, frames and a sweep on this machine."""
    verified("speed", data)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        clip = folder / "clip.mp4"
        enlarge_clip(data / CLIP, clip)
        root = Path(matte.__file__).parents[1]
        checkout = Checkout(root, folder, (data / PORTRAIT).resolve(), clip, "auto", "auto")
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        report: Row = {"load_before": load and round(load, 2), "unit": "ms", "rounds": rounds}
        for name, call in MEASURES.items():
            call(checkout)
            found = summarise_timings([call(checkout) for _ in range(rounds)])
            report[name] = found.as_json()
            print(name, found, flush=True)
    return report


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


if __name__ == "__main__":
    main()
