"""How often the mark of a sweep is the setting with the least error, and what it costs where not.

    python benchmarks/sweep_mark.py DATA [--side 480] [--refiner gca-slim] [--kept FOLDER]

Pictures with true alpha of six kinds (portraits, people, animals, things, cut-outs and composites
on photos) go through the line with each of eleven bands. The error is the SAD in the soft region:
where the truth is soft, and 1 % of the long side around. The mark is the setting of the least
estimated error (`matte/refiner/alpha_errors.py`). `hits`: how often it is the one of the least SAD;
`regret`: by how much its SAD is larger than that, on average. The weights are fitted again, and
measured on pictures that they were not fitted on: in eight parts, a picture and its composites in
one part. `--kept` keeps the alphas, which take nearly all of the time, for the next run.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row
from known_pictures import Known, known_pictures
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, BoolArray, Confidence, Image, Mask
from matte.configs.lengths import parse_length
from matte.configs.loader import merge_settings
from matte.configs.settings import TrimapSettings
from matte.pipeline.build import build_two_stage
from matte.pipeline.line import TwoStage
from matte.pipeline.steps import cut_subject, draw, refine
from matte.refiner.alpha_errors import MIN_SUM, WEIGHTS, AlphaErrors
from matte.trimap.drawing import trimap_flaw

KERNELS = ((2, 6), (3, 3), (3, 6), (5, 6), (7, 6), (12, 6), (13, 6), (21, 6))
WIDTHS = ("1%", "3%")
SWEEPS = {
    "all eleven": tuple(range(11)),
    "auto, 3, 7, 13": (0, 3, 5, 7),
    "2, 7, 12": (1, 5, 6),
    "3, 5, 7, 13, 21": (3, 4, 5, 7, 8),
    "auto, 1%, 3%": (0, 9, 10),
}
SOFT = (0.02, 0.98)
NEAR_SHARE = 0.01  # of the long side: what counts around the soft pixels
PARTS = 8
RIDGE = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class SweptPicture:
    """A picture's alphas with each band, and what they are compared with."""

    kind: str
    name: str
    image: Image
    truth: Alpha
    confidence: Confidence
    mask: Mask
    trimaps: NDArray[np.uint8]
    alphas: NDArray[np.float32]
    is_sound: BoolArray
    """Of each band, whether it could be refined."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPicture:
    """A picture's SAD (S,) and logarithms of features (S, 4) with each band; NaN if not refined."""

    kind: str
    name: str
    sad: NDArray[np.float64]
    features: NDArray[np.float64]


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "sweep_mark.json")
    parser.add_argument("--side", type=int, default=480, help="pixels: the long side of pictures")
    parser.add_argument("--refiner", default="gca-slim")
    parser.add_argument("--kept", type=Path, help="a folder for the alphas")
    parser.add_argument("--pictures", type=int, default=0, help="no more than so many")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    measured = [measure(swept) for swept in sweep_all(options)]
    found = report(measured)
    harness.write(
        options.json,
        {"side": options.side, "refiner": options.refiner, "pictures": len(measured), **found},
    )


def sweep_all(options: argparse.Namespace) -> Iterator[SweptPicture]:
    """Yield the swept pictures; those that are kept are not swept again."""
    flags = {"threads": 1, "refiner": options.refiner}
    line = build_two_stage(merge_settings("balanced", None, flags).config)
    bands = [TrimapSettings(k="auto")]
    bands += [TrimapSettings(k=k, iterations=n) for k, n in KERNELS]
    bands += [TrimapSettings(width=parse_length(width)) for width in WIDTHS]
    done = 0
    for kind, name, image, truth in known_pictures(options.data, options.side):
        if options.pictures and done >= options.pictures:
            return
        file = f"{options.side}-{options.refiner}-{kind}-{name}.npz"
        kept = options.kept / file if options.kept else None
        swept = read_kept(kept) if kept and kept.exists() else None
        if swept is None:
            swept = sweep_one(line, bands, (kind, name, image, truth))
            if swept is None:
                continue
            if kept:
                write_kept(kept, swept)
        done += 1
        print(f"{done:4} {kind}, {name}", flush=True)
        yield swept


def sweep_one(line: TwoStage, bands: Sequence[TrimapSettings], known: Known) -> SweptPicture | None:
    """Return a picture with its alphas; None if nobody is found in it."""
    kind, name, image, truth = known
    segmentation = line.segmenter.segment(image)
    subject = cut_subject(segmentation, line.segmentation)
    if not subject.is_found():
        return None
    trimaps, alphas, sound = [], [], []
    for band in bands:
        drawn = draw(subject, band)
        sound.append(not trimap_flaw(drawn.trimap))
        alpha = np.asarray(subject.mask == SUBJECT, np.float32)
        if sound[-1]:
            alpha = refine(line.refiner, image, subject, drawn).alpha
        trimaps.append(drawn.trimap)
        alphas.append(alpha)
    return SweptPicture(
        kind,
        name,
        image,
        truth,
        segmentation.confidence,
        subject.mask,
        np.array(trimaps),
        np.array(alphas),
        np.array(sound),
    )


def write_kept(path: Path, swept: SweptPicture) -> None:
    """Keep a picture's alphas."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {name: getattr(swept, name).astype(np.float16) for name in ("truth", "alphas")}
    np.savez(
        path,
        image=swept.image,
        conf=swept.confidence.astype(np.float16),
        mask=swept.mask,
        trimaps=swept.trimaps,
        ok=swept.is_sound,
        kind=swept.kind,
        name=swept.name,
        **half,
    )


def read_kept(path: Path) -> SweptPicture:
    """Return a picture with its alphas, which are kept."""
    with np.load(path) as kept:
        return SweptPicture(
            str(kept["kind"]),
            str(kept["name"]),
            Image(kept["image"]),
            Alpha(kept["truth"].astype(np.float32)),
            Confidence(kept["conf"].astype(np.float32)),
            Mask(kept["mask"]),
            kept["trimaps"],
            kept["alphas"].astype(np.float32),
            kept["ok"],
        )


def measure(swept: SweptPicture) -> MeasuredPicture:
    """Return a picture's errors and features with each band."""
    truth = swept.truth
    reach = max(2, round(NEAR_SHARE * max(truth.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    soft = ((truth > SOFT[0]) & (truth < SOFT[1])).astype(np.uint8)
    near = cv2.dilate(soft, disc) > 0
    region = (swept.trimaps[swept.is_sound] == UNKNOWN).any(axis=0)
    estimate = AlphaErrors(swept.image, swept.confidence, swept.mask, region)
    count = len(swept.alphas)
    sad, features = np.full(count, np.nan), np.full((count, len(WEIGHTS)), np.nan)
    for place in np.flatnonzero(swept.is_sound):
        alpha = Alpha(swept.alphas[place])
        sad[place] = np.abs(alpha - truth)[near].sum()
        features[place] = np.log(np.array(astuple(estimate.features(alpha))) + MIN_SUM)
    return MeasuredPicture(swept.kind, swept.name, sad, features)


def report(measured: Sequence[MeasuredPicture]) -> Row:
    """Return hits and regret of the shipped weights, and of weights fitted on other pictures."""
    fitted = fit(measured)
    print("weights fitted on all pictures:", np.round(fitted, 3).tolist(), "shipped:", WEIGHTS)
    names = sorted({picture.name for picture in measured})
    part_of = dict(
        zip(names, np.random.default_rng(0).permutation(len(names)) % PARTS, strict=True)
    )
    others = {
        part: fit([p for p in measured if part_of[p.name] != part])
        for part in set(part_of.values())
        if len(names) > PARTS
    }
    rows: list[Row] = []
    for sweep, places in SWEEPS.items():
        shipped = [(picture, np.array(WEIGHTS)) for picture in measured]
        row = {"sweep": sweep, **marks(shipped, places)}
        if others:
            unseen = [(picture, others[part_of[picture.name]]) for picture in measured]
            row |= {f"{key}, unseen": value for key, value in marks(unseen, places).items()}
        rows.append(row)
    harness.show(rows)
    kinds = {kind: sum(p.kind == kind for p in measured) for kind in {p.kind for p in measured}}
    return {"kinds": kinds, "weights": np.round(fitted, 4).tolist(), "marks": rows}


def fit(measured: Sequence[MeasuredPicture]) -> NDArray[np.float64]:
    """Return the weights that explain the logarithms of SAD within each picture best."""
    inputs, targets = [], []
    for picture in measured:
        sound = ~np.isnan(picture.sad) & (picture.sad > 0)
        features, errors = picture.features[sound], np.log(picture.sad[sound])
        inputs.append(features - features.mean(axis=0))
        targets.append(errors - errors.mean())
    a, y = np.concatenate(inputs), np.concatenate(targets)
    spread = a.std(axis=0) + 1e-9
    scaled = a / spread
    found = np.linalg.solve(scaled.T @ scaled + RIDGE * np.eye(a.shape[1]), scaled.T @ y)
    return np.asarray(found / spread)


def marks(
    weighted: Sequence[tuple[MeasuredPicture, NDArray[np.float64]]], places: Sequence[int]
) -> Row:
    """Return how often the mark is the best of these settings, and the mean regret."""
    hits, regrets = [], []
    for picture, weights in weighted:
        tried = [place for place in places if picture.sad[place] > 0]
        if len(tried) < 2:
            continue
        scores = picture.features[tried] @ weights
        least, marked = picture.sad[tried].min(), picture.sad[tried[int(scores.argmin())]]
        hits.append(marked == least)
        regrets.append(marked / least - 1)
    return {
        "n": len(hits),
        "hits": round(float(np.mean(hits)), 3),
        "regret": round(float(np.mean(regrets)), 4),
    }


if __name__ == "__main__":
    main()
