"""What the shipped networks reach on the pictures that their recipes hold back.

    python benchmarks/score_weights.py --data DATA [NAME…] [--pictures 3] [--sheets FOLDER]

DATA is the folder that `matte train` was given. NAME is a network with a recipe in its manifest, or
a preset, whose whole line is measured; without NAME everything that is shipped. The recipe's own
split is made anew (by name, near duplicates together), the pictures are measured at their stored
size with the functions behind `matte eval`, and the means go into scores.json beside the manifest,
from where model cards take them; then `make format` renews the docs.

`--pictures` takes only so many of each set and keeps nothing: a try. `--sheets` shows the worst.
"""

import argparse
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from held_back import TRIMAPS, HeldBack, eval_folder, held_back

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
from matte.evaluation.trimaps import Trimaps, from_alpha, from_folder
from matte.files import write_file
from matte.media.encoding import encode
from matte.metrics.intervals import Interval, median_ratio
from matte.runtime.threads import usable_threads
from matte.weights.scores import Against, Measured, Score, line_of, read_scores, save_scores
from matte.weights.store import SHIPPED, all_weights, stored

PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "openvino")
PORTRAITS = "matting_gt/aisegment60"  # the set that whole lines are measured on
CLOSED_FORM = "closed-form"
WIDTH = 15  # of trimaps drawn from the truth


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    data: Path
    names: tuple[str, ...]
    pictures: int
    sheets: Path | None
    threads: int
    precision: str = "auto"

    def merged(self, preset: str = "balanced", **flags: str) -> MergedSettings:
        """The preset's settings."""
        return merge_settings(
            preset, None, {"threads": self.threads, "precision": self.precision, **flags}
        )


def main() -> None:
    """Measures, prints, and writes scores.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    options = Options(given.data, tuple(given.names), given.pictures, given.sheets, given.threads)
    try:
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
        for name in options.names or (*_trained(), *preset_names()):
            is_line = name in preset_names()
            measured = (measure_line if is_line else measure_network)(name, options)
            if not options.pictures:
                keep(name, measured, is_line)
    except MatteError as error:
        parser.exit(1, f"Error: {error}\n")


def keep(name: str, measured: Measured, is_line: bool) -> None:
    """Puts the scores beside the manifest of the network, or of the preset's networks."""
    folder = SHIPPED if is_line else stored(name).folder
    board = read_scores(folder)
    if is_line:
        board = replace(board, lines={**board.lines, name: measured})
    else:
        board = replace(board, networks={**board.networks, name: measured})
    save_scores(folder, board)


def measure_network(name: str, options: Options) -> Measured:
    """The network's scores on all that its recipe held back and its kind can be measured on."""
    measure = {"segmenter": segmenter, "refiner": refiner, "modnet": modnet}[stored(name).kind]
    partners = {name}
    rows: list[Score] = []
    for held in held_back(name, options.data, options.pictures):
        found, others = measure(name, held, options)
        rows += found
        partners |= set(others)
    if not rows:
        raise SettingError(f"no picture held back to measure {name!r} on", "check its recipe")
    return _measured(partners, rows)


def measure_line(preset: str, options: Options) -> Measured:
    """The preset's line on portraits that none of its networks, nor the trimap-free ones that it
    is compared with, was trained on.
    """
    merged = options.merged(preset)
    rivals = [n for n in _trained() if stored(n).kind == "modnet"]
    networks = (*line_of(preset), *rivals)
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
    _show(preset, PORTRAITS, scores, options)
    rows = _rows(scores, PORTRAITS, ("mad", "mse"), rivals=(MASK_ALONE, *rivals))
    return _measured(networks, rows)


def segmenter(name: str, held: HeldBack, options: Options) -> tuple[list[Score], Sequence[str]]:
    """mIoU; the share of right pixels where no picture has a subject."""
    with eval_folder(held) as folder:
        scores = evaluate_segmenter(folder, options.merged(segmenter=name).config)
    _show(name, held.name, scores, options)
    metric = "miou" if held.with_subject else "accuracy"
    return _rows(scores, held.name, (metric,)), ()


def refiner(name: str, held: HeldBack, options: Options) -> tuple[list[Score], Sequence[str]]:
    """SAD and MSE in the unknown pixels, compared with closed-form matting and with blindness.

    With the trimaps that come with the set; or else with some drawn from the truth, and some that
    the default segmenter gives, for which the error in the whole picture is told too.
    """
    if not held.with_mattes:
        return [], ()
    config = options.merged().config
    rows = []
    with eval_folder(held) as folder:
        sources: dict[str, Trimaps | None] = {
            own: from_folder(folder / own) for own in TRIMAPS if (folder / own).is_dir()
        }
        for trimaps, source in (
            sources or {"drawn from the truth": from_alpha(WIDTH), "from our mask": None}
        ).items():
            scores = evaluate_refiner(folder, [name, CLOSED_FORM], config, source)
            _show(f"{name}-{trimaps}", held.name, scores, options)
            metrics = ("sad", "mse") if source else ("sad", "mse", "mad_whole")
            rows += _rows(scores, held.name, metrics, trimaps, (CLOSED_FORM, BLIND))
    return rows, () if sources else (config.segmentation.segmenter,)


def modnet(name: str, held: HeldBack, options: Options) -> tuple[list[Score], Sequence[str]]:
    """MAD and MSE of whole pictures; not on mattes that networks made."""
    if not held.with_mattes or held.name.startswith("distilled/"):
        return [], ()
    with eval_folder(held) as folder:
        scores = evaluate_modnet(folder, options.merged(modnet=name))
    _show(name, held.name, scores, options)
    return _rows(scores, held.name, ("mad", "mse")), ()


def _trained() -> list[str]:
    """The shipped networks."""
    return sorted(name for name, w in all_weights().items() if w.folder == SHIPPED)


def _rows(
    scores: Scores,
    folder: str,
    metrics: Sequence[str],
    trimaps: str = "",
    rivals: Sequence[str] = (),
) -> list[Score]:
    rows = []
    for metric in metrics:
        value, low, high = _numbers(scores.mean(scores.evaluated, metric))
        compared = (
            _against(scores, metric, r) for r in rivals if metric in scores.values.get(r, {})
        )
        against = tuple(a for a in compared if a)
        pictures = len(scores.pictures)
        rows.append(Score(folder, pictures, metric, value, low, high, trimaps, against))
    return rows


def _against(scores: Scores, metric: str, rival: str) -> Against | None:
    ratio = scores.measured_by(rival).against(scores.evaluated, metric)
    median = median_ratio(scores.values[scores.evaluated][metric], scores.values[rival][metric])
    return None if ratio is None else Against(rival, *_numbers(ratio), _short(median or 0.0))


def _numbers(interval: Interval) -> tuple[float, float, float]:
    return _short(interval.value), _short(interval.low), _short(interval.high)


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _measured(names: Iterable[str], rows: Sequence[Score]) -> Measured:
    return Measured(
        networks={name: stored(name).sha256 for name in sorted(names)},
        date=date.today().isoformat(),
        machine=f"{platform.machine()}, {usable_threads()} cores",
        packages={name: version(name) for name in PACKAGES},
        scores=tuple(rows),
    )


def _show(name: str, folder: str, scores: Scores, options: Options) -> None:
    """Prints the means; saves a sheet of the worst if that was asked for."""
    for contestant in scores.values:
        means = {m: scores.mean(contestant, m) for m in scores.metrics}
        told = ", ".join(
            f"{m} {i.value:.4f} [{i.low:.4f} … {i.high:.4f}]" for m, i in means.items()
        )
        print(
            f"{name}, {folder}, {len(scores.pictures)} pictures, {contestant}: {told}", flush=True
        )
    for skipped, why in scores.skipped.items():
        print(f"skipped {skipped}: {why}")
    if options.sheets:
        path = options.sheets / f"{name} {folder}.jpg".replace("/", "-").replace(" ", "-")
        sheet = draw_sheet(scores.worst, f"{name}, {folder}: the worst")
        write_file(path, encode(sheet, ".jpg"), overwrite=True)


if __name__ == "__main__":
    main()
