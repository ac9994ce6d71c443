"""Who is right where the refiner and the confidence disagree: fits and measures the choice.

    python benchmarks/disputes.py DATA [--side 1280] [--pictures 40] [--kept FOLDER]

Pictures with true alpha (those of sweep_mark.py, and all portraits) and with masks (up to
`--pictures` of each set) go through `balanced`. For each part in dispute (see
`matte/refiner/disputes.py`) the logarithms of its features and of the whole picture's are
collected, and by how much the refined alpha is worse there. A logistic regression, each part
weighted by that in comparison with the picture's error, gives the weights. Printed is the SAD with
the choice over the SAD with the limit alone, as a geometric mean of each kind: `free` without any
limit, `shipped` with the weights in the package, `unseen` with weights that were fitted on other
pictures, in eight parts, a picture and its composites in one part; `best`: whoever is right.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
import numpy as np
from harness import Row
from known_pictures import Known, known_pictures, shrunk
from numpy.typing import NDArray
from scenes import PORTRAITS, entries_of

from matte.arrays import UNKNOWN, Alpha, Image, as_alpha
from matte.configs.loader import merge_settings
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.imaging.resizing import resize
from matte.pipeline.build import build_two_stage
from matte.pipeline.line import TwoStage
from matte.pipeline.steps import cut_subject, draw
from matte.refiner.alpha_errors import AlphaErrors
from matte.refiner.confidence_limits import limit_by_confidence
from matte.refiner.disputes import (
    BIAS,
    MAX_LOG_RATIO,
    PART_WEIGHTS,
    PICTURE_WEIGHTS,
    collect_disputes,
)
from matte.stages import RefineContext
from matte.trimap.drawing import trimap_flaw

MASKS = ("subjects/eg1800", "subjects/ecssd", "subjects/horse", "person_seg/ccp",
         "person_seg/vikram", "person_seg/voc_person")  # fmt: skip
PARTS = 8
RIDGE = 1.0
MARGIN = 0.4  # of the logarithm of the odds: the refined alpha has to look that much righter
LEAST = 0.5  # thousands of SAD, added to a picture's when its parts are weighted
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DisputedPicture:
    """A picture's SAD in thousands with the limit, and its parts in dispute.

    `features`: (parts, 8). `losses`: by how many thousands of SAD the refined alpha is worse.
    """

    kind: str
    name: str
    limited: float
    features: NDArray[np.float64]
    losses: NDArray[np.float64]


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "disputes.json")
    parser.add_argument("--side", type=int, default=1280)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--kept", type=Path, help="a folder for what was measured of each picture")
    options = parser.parse_args()
    measured = list(measure_all(options))
    fitted = fit(measured)
    print("weights fitted on all:", np.round(fitted, 3).tolist())
    print("shipped:", [*PART_WEIGHTS, *PICTURE_WEIGHTS, BIAS])
    rows = report(measured)
    harness.show(rows)
    harness.write(options.json, {"side": options.side, "weights": fitted.tolist(), "kinds": rows})


def measure_all(options: argparse.Namespace) -> Iterator[DisputedPicture]:
    """Yield what was measured of the pictures; those that are kept are not measured again."""
    line = build_two_stage(merge_settings("balanced", None, {"threads": 1}).config)
    for kind, name, image, truth in pictures(options):
        kept = options.kept / f"{kind}-{name}.npz".replace("/", "_") if options.kept else None
        if kept and kept.exists():
            with np.load(kept) as file:
                yield DisputedPicture(
                    kind, name, float(file["limited"]), file["features"], file["losses"]
                )
            continue
        found = measure(line, (kind, name, image, truth))
        if found is None:
            continue
        print(f"{kind}, {name}: {found.limited:.2f}, {len(found.losses)} parts", flush=True)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, limited=found.limited, features=found.features, losses=found.losses)
        yield found


def pictures(options: argparse.Namespace) -> Iterator[Known]:
    """Yield the pictures with their truth."""
    seen = set()
    for known in known_pictures(options.data, options.side):
        seen.add(known[1])
        yield known
    for entry in entries_of(options.data, PORTRAITS):
        if entry.name not in seen:
            sample = read_sample(entry)
            image, truth = Image(sample.picture), as_alpha(sample.truth)
            yield shrunk("portrait", entry.name, image, truth, options.side)
    for folder in MASKS:
        entries = [e for e in list_set(options.data / folder, "auto").entries if e.truth]
        step = max(1, len(entries) // options.pictures)
        for entry in entries[step // 2 :: step][: options.pictures]:
            sample = read_sample(entry)
            truth = Alpha((sample.truth > 127).astype(np.float32))
            yield shrunk(folder, entry.name, Image(sample.picture), truth, options.side)


def measure(line: TwoStage, known: Known) -> DisputedPicture | None:
    """Return a picture's parts in dispute; None where nothing limits alpha."""
    kind, name, image, truth = known
    subject = cut_subject(line.segmenter.segment(image), line.segmentation)
    if not subject.is_found():
        return None
    drawn = draw(subject, line.band)
    if trimap_flaw(drawn.trimap) or not drawn.follows_confidence:
        return None
    trimap, confidence = drawn.trimap, subject.segmentation.confidence
    refined = line.refiner.refine(image, trimap, RefineContext(None, subject.features)).alpha
    limited = limit_by_confidence(refined, trimap, confidence, subject.threshold)
    errors = AlphaErrors(image, confidence, subject.mask, trimap == UNKNOWN)
    disputes = collect_disputes(errors, refined, limited)
    small = resize(truth, *disputes.labels.shape)
    pixels = truth.size / small.size / 1000
    gap = (np.abs(disputes.refined - small) - np.abs(disputes.limited - small)) * pixels
    losses = np.bincount(disputes.labels.ravel(), gap.ravel(), len(disputes.features) + 1)[1:]
    sad = float(np.abs(limited - truth).sum() / 1000)
    return DisputedPicture(kind, name, sad, disputes.features, losses.astype(np.float64))


def fit(measured: Sequence[DisputedPicture]) -> Weights:
    """Return the weights and the bias of the regression."""
    x = np.concatenate([picture.features for picture in measured])
    gains = np.concatenate([-p.losses / (p.limited + LEAST) for p in measured])
    x = np.clip(x, -MAX_LOG_RATIO, MAX_LOG_RATIO)
    inputs = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    weight = np.abs(gains) / np.abs(gains).mean()
    right = (gains > 0).astype(np.float64)
    ridge = RIDGE * np.diag([1.0] * x.shape[1] + [0.0])
    found = np.zeros(inputs.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (weight * (chance - right)) + ridge @ found
        curve = (inputs * (weight * chance * (1 - chance))[:, None]).T @ inputs
        found = found - np.linalg.solve(curve + ridge + 1e-6 * np.eye(len(found)), slope)
    found[-1] -= MARGIN
    return np.asarray(found)


def report(measured: Sequence[DisputedPicture]) -> list[Row]:
    """Return the geometric means of SAD over the limited one's, for each kind."""
    names = sorted({picture.name for picture in measured})
    places = np.random.default_rng(0).permutation(len(names)) % PARTS
    part_of = dict(zip(names, places, strict=True))
    others = {part: fit([p for p in measured if part_of[p.name] != part]) for part in range(PARTS)}
    shipped = np.array([*PART_WEIGHTS, *PICTURE_WEIGHTS, BIAS])
    rows = []
    for kind in dict.fromkeys(picture.kind for picture in measured):
        chosen = [picture for picture in measured if picture.kind == kind]
        rows.append(
            {
                "kind": kind,
                "n": len(chosen),
                "free": ratio(chosen, lambda p: np.ones(len(p.losses), bool)),
                "shipped": ratio(chosen, lambda p: believed(p, shipped)),
                "unseen": ratio(chosen, lambda p: believed(p, others[part_of[p.name]])),
                "best": ratio(chosen, lambda p: p.losses < 0),
            }
        )
    return rows


def believed(picture: DisputedPicture, weights: Weights) -> NDArray[np.bool_]:
    """Return in which parts the refined alpha is believed."""
    features = np.clip(picture.features, -MAX_LOG_RATIO, MAX_LOG_RATIO)
    return np.asarray(features @ weights[:-1] + weights[-1] > 0)


def ratio(
    measured: Sequence[DisputedPicture], choose: Callable[[DisputedPicture], NDArray[np.bool_]]
) -> float:
    """Return the geometric mean of the SAD after a choice over the one before."""
    logs = [
        np.log(max(1e-3, p.limited + float(p.losses @ choose(p)) + 0.01) / (p.limited + 0.01))
        for p in measured
    ]
    return round(float(np.exp(np.mean(logs))), 3)


if __name__ == "__main__":
    main()
