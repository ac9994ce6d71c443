"""What the shipped networks reach on the pictures that their recipes hold back.

    python benchmarks/score_weights.py DATA [NAME…] [--pictures 3] [--sheets FOLDER]

DATA is the folder that `matte train` was run with. NAME is a network with a recipe in its manifest,
or a preset, whose whole line is measured; without NAME everything that is shipped. The recipe's own
split is made anew (by name, near duplicates together), the pictures are measured at their stored
size with the functions behind `matte eval`, and the means go into scores.json beside the manifest,
from where model cards read them; then `make format` renews the docs.

`--pictures` measures only so many of each set and saves nothing: a try. `--sheets` draws the worst.
"""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

import harness
from held_back import TRIMAPS, HeldBackSet, eval_folder, held_back

from matte.configs.loader import MergedSettings, merge_settings, preset_names
from matte.errors import MatteError, SettingError
from matte.evaluation.masks import evaluate_segmenter
from matte.evaluation.mattes import (
    BLIND,
    MASK_ALONE,
    evaluate_modnet,
    evaluate_pipeline,
    evaluate_refiner,
)
from matte.evaluation.scores import Scores
from matte.evaluation.sheet import draw_sheet
from matte.evaluation.trimaps import TrimapSource, trimaps_from_alpha, trimaps_from_folder
from matte.files import write_file
from matte.media.encoding import encode
from matte.metrics.intervals import Interval, median_ratio
from matte.runtime.threads import usable_threads
from matte.weights.scores import (
    ErrorRatio,
    Measurement,
    NetworkScore,
    networks_of_preset,
    read_scores,
    save_scores,
)
from matte.weights.store import SHIPPED_FOLDER, all_weights, weights_named

PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "openvino")
PORTRAITS = "matting_gt/aisegment60"  # the set that whole lines are measured on
CLOSED_FORM = "closed-form"
WIDTH = 15  # pixels, of trimaps drawn from the truth
PartScores = tuple[
    list[NetworkScore], Sequence[str]
]  # and the names of the other networks that took part


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """Where the data are, how many pictures of each set are measured, and what networks run on."""

    data: Path
    pictures: int = 0
    sheets: Path | None = None
    threads: int = 0
    precision: str = "auto"
    backend: str = "auto"

    def merged(self, preset: str = "balanced", **flags: str | bool) -> MergedSettings:
        """Return the preset's settings with these options."""
        running = {"threads": self.threads, "precision": self.precision, "backend": self.backend}
        return merge_settings(preset, None, {**running, **flags})


def main() -> None:
    """Measure, print, write scores.json."""
    parser = harness.parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    options = ScoringOptions(given.data, given.pictures, given.sheets, given.threads)
    try:
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
        for name in given.names or (*shipped_names(), *preset_names()):
            is_line = name in preset_names()
            measured = (measure_line if is_line else measure_network)(name, options)
            if not options.pictures:
                save(name, measured, is_line)
    except MatteError as error:
        parser.exit(1, f"Error: {error}\n")


def save(name: str, measured: Measurement, is_line: bool) -> None:
    """Save the scores beside the manifest of the network, or of the preset's networks."""
    folder = SHIPPED_FOLDER if is_line else weights_named(name).folder
    board = read_scores(folder)
    if is_line:
        board = replace(board, lines={**board.lines, name: measured})
    else:
        board = replace(board, networks={**board.networks, name: measured})
    save_scores(folder, board)


def measure_network(name: str, options: ScoringOptions) -> Measurement:
    """Return a network's scores on all held-back pictures that its kind can be measured on."""
    measure = MEASURES[weights_named(name).kind]
    partners = {name}
    rows: list[NetworkScore] = []
    for held in held_back(name, options.data, options.pictures):
        found, others = measure(name, held, options)
        rows += found
        partners |= set(others)
    if not rows:
        raise SettingError(f"no picture held back to measure {name!r} on", "check its recipe")
    return _measurement(partners, rows)


def measure_line(preset: str, options: ScoringOptions) -> Measurement:
    """Return the scores of a preset's line on portraits.

    None of its networks, nor the trimap-free ones that it is compared with, was trained on them.
    """
    merged = options.merged(preset)
    rivals = [n for n in shipped_names() if weights_named(n).kind == "modnet"]
    networks = (*networks_of_preset(preset), *rivals)
    each = [h for n in networks for h in held_back(n, options.data) if h.name == PORTRAITS]
    if not each:
        raise SettingError(f"no recipe of {preset} holds back {PORTRAITS}", "name other networks")
    shared = set.intersection(*(set(held.entries) for held in each))
    entries = sorted(shared, key=lambda entry: entry.name)[: options.pictures or None]
    with eval_folder(replace(each[0], entries=tuple(entries))) as folder:
        scores = evaluate_pipeline(folder, merged)
        for name in rivals:
            alone = evaluate_modnet(folder, options.merged(modnet=name))
            if alone.pictures == scores.pictures:
                scores = replace(scores, values={**scores.values, name: alone.values[name]})
    _print_means(preset, PORTRAITS, scores, options)
    rows = score_rows(scores, PORTRAITS, ("mad", "mse"), rivals=(MASK_ALONE, *rivals))
    return _measurement(networks, rows)


def segmenter_scores(name: str, held: HeldBackSet, options: ScoringOptions) -> PartScores:
    """Return mIoU; the share of right pixels where no picture has a subject."""
    with eval_folder(held) as folder:
        # Once: so a network alone is compared with others.
        merged = options.merged(segmenter=name, segment_mirrored=False)
        scores = evaluate_segmenter(folder, merged.config)
    _print_means(name, held.name, scores, options)
    metric = "miou" if held.has_subject else "accuracy"
    return score_rows(scores, held.name, (metric,)), ()


def refiner_scores(name: str, held: HeldBackSet, options: ScoringOptions) -> PartScores:
    """Return SAD and MSE in the unknown pixels, beside closed-form matting and picture-blindness.

    With the trimaps that come with the set; or else with some drawn from the truth, and some that
    the default segmenter gives, for which the error in the whole picture is measured too.
    """
    if not held.has_alphas:
        return [], ()
    config = options.merged().config
    rows = []
    with eval_folder(held) as folder:
        sources: dict[str, TrimapSource | None] = {
            own: trimaps_from_folder(folder / own) for own in TRIMAPS if (folder / own).is_dir()
        }
        for trimaps, source in (
            sources or {"drawn from the truth": trimaps_from_alpha(WIDTH), "from our mask": None}
        ).items():
            scores = evaluate_refiner(folder, [name, CLOSED_FORM], config, source)
            _print_means(f"{name}-{trimaps}", held.name, scores, options)
            metrics = ("sad", "mse") if source else ("sad", "mse", "mad_whole")
            rows += score_rows(scores, held.name, metrics, trimaps, (CLOSED_FORM, BLIND))
    return rows, () if sources else (config.segmentation.segmenter,)


def modnet_scores(name: str, held: HeldBackSet, options: ScoringOptions) -> PartScores:
    """Return MAD and MSE of whole pictures; not on mattes that networks made."""
    if not held.has_alphas or held.name.startswith("distilled/"):
        return [], ()
    with eval_folder(held) as folder:
        scores = evaluate_modnet(folder, options.merged(modnet=name))
    _print_means(name, held.name, scores, options)
    return score_rows(scores, held.name, ("mad", "mse")), ()


MEASURES = {"segmenter": segmenter_scores, "refiner": refiner_scores, "modnet": modnet_scores}


def shipped_names() -> list[str]:
    """Return the names of the shipped networks."""
    return sorted(name for name, w in all_weights().items() if w.folder == SHIPPED_FOLDER)


def score_rows(
    scores: Scores,
    folder: str,
    metrics: Sequence[str],
    trimaps: str = "",
    rivals: Sequence[str] = (),
) -> list[NetworkScore]:
    """Return a row for each metric, with the ratios to rivals."""
    rows = []
    for metric in metrics:
        value, low, high = _rounded(scores.mean(scores.evaluated, metric))
        compared = (
            _compared_with(scores, metric, r) for r in rivals if metric in scores.values.get(r, {})
        )
        against = tuple(a for a in compared if a)
        pictures = len(scores.pictures)
        rows.append(NetworkScore(folder, pictures, metric, value, low, high, trimaps, against))
    return rows


def _compared_with(scores: Scores, metric: str, rival: str) -> ErrorRatio | None:
    ratio = scores.with_reference(rival).compare_with_reference(scores.evaluated, metric)
    median = median_ratio(scores.values[scores.evaluated][metric], scores.values[rival][metric])
    return (
        None if ratio is None else ErrorRatio(rival, *_rounded(ratio), _five_digits(median or 0.0))
    )


def _rounded(interval: Interval) -> tuple[float, float, float]:
    return _five_digits(interval.value), _five_digits(interval.low), _five_digits(interval.high)


def _five_digits(value: float) -> float:
    return float(f"{value:.5g}")


def _measurement(names: Iterable[str], rows: Sequence[NetworkScore]) -> Measurement:
    return Measurement(
        networks={name: weights_named(name).sha256 for name in sorted(names)},
        date=date.today().isoformat(),
        machine=f"{platform.machine()}, {usable_threads()} cores",
        packages={name: version(name) for name in PACKAGES},
        scores=tuple(rows),
    )


def _print_means(name: str, folder: str, scores: Scores, options: ScoringOptions) -> None:
    """Print the means; save a sheet of the worst if that was asked for."""
    for contestant in scores.values:
        means = {m: scores.mean(contestant, m) for m in scores.metrics}
        text = ", ".join(
            f"{m} {i.value:.4f} [{i.low:.4f} … {i.high:.4f}]" for m, i in means.items()
        )
        print(
            f"{name}, {folder}, {len(scores.pictures)} pictures, {contestant}: {text}", flush=True
        )
    for skipped, why in scores.skipped.items():
        print(f"skipped {skipped}: {why}")
    if options.sheets:
        path = options.sheets / f"{name} {folder}.jpg".replace("/", "-").replace(" ", "-")
        sheet = draw_sheet(scores.worst, f"{name}, {folder}: the worst")
        write_file(path, encode(sheet, ".jpg"), overwrite=True)


if __name__ == "__main__":
    main()
