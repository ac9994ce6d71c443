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

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import harness
import numpy as np
from harness import Row
from score_lists import SOURCES, ListedPicture, choose, trained_on, verified
from speed_pair import CLIP, MEASURES, PORTRAIT, Checkout, enlarge_clip

import matte
from matte.arrays import BACKGROUND, SUBJECT, Alpha, Mask, Trimap
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry
from matte.evaluation.pairs import MatteCase
from matte.evaluation.trimaps import trimaps_from_alpha
from matte.media.pictures import read_alpha, read_image
from matte.metrics import intervals
from matte.metrics.masks import subject_iou
from matte.metrics.mattes import mad, sad
from matte.metrics.timings import summarise_timings

PRESETS = ("fast", "balanced")  # best is balanced for pictures
PINNED = {"backend": "onnx", "precision": "fp32"}
BAND = 15  # pixels: the mean width of the trimaps that are drawn from the truth
ROUNDS = 5


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
            report = {"version": matte.__version__, **quality(lists, options.data)}
            harness.write_part(file, "quality", report)
        if not options.only or "speed" in options.only:
            report = {"version": matte.__version__, **speed(options.data, options.rounds)}
            harness.write_part(file, "speed", report)


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
    trimap = trimaps_from_alpha(BAND).draw(picture.picture, image, truth)
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
        clip = folder / "source.mp4"
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


if __name__ == "__main__":
    main()
