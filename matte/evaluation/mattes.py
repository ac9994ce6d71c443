"""The evaluation of refiners, MODNets and the whole line: errors of their alphas."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from matte.arrays import SUBJECT, Alpha
from matte.configs.loader import TRIMAP_FREE, MergedSettings, with_modnet
from matte.configs.settings import Config
from matte.errors import SettingError
from matte.evaluation.blind import BlindBaseline
from matte.evaluation.pairs import MATTE_LAYOUT, MatteCase, find_pairs, matte_cases
from matte.evaluation.peer_networks import open_peer_networks
from matte.evaluation.scores import (
    EvaluationTask,
    Scores,
    compare_contestants,
    refuse_same_names,
)
from matte.evaluation.sheet import alpha_panels
from matte.evaluation.trimaps import TrimapSource, trimaps_from_segmenter
from matte.media.pictures import Photo
from matte.metrics.mattes import mad, matte_scores
from matte.pipeline.build import build, build_refiner, build_segmenter
from matte.refiner import REFINERS
from matte.stages import Progress, Refiner
from matte.weights.store import all_weights, storage_status

BLIND = "blind"
GCA = "gca"  # whichever network --weights names, or the first one that is here
MASK_ALONE = "mask alone"


def evaluate_refiner(
    data: Path,
    refiners: Sequence[str],
    config: Config,
    trimaps: TrimapSource | None = None,
    weights: str | None = None,
    peers: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Scores:
    """Return the errors of refiners, peers and the blind baseline in the trimaps' unknown pixels.

    `data` holds input/ and gt/. `refiners` are names as --refiner takes them, "blind", or "gca",
    which is the network `weights`. Without `trimaps`, the settings' own segmenter and trimap stage
    make them. Where trimaps may be wrong, `mad_whole` is the error in the whole picture besides.
    """
    pairs = find_pairs(data, MATTE_LAYOUT)
    names = [*refiners] if BLIND in refiners else [*refiners, BLIND]
    others = open_peer_networks(peers, config.runtime, with_trimap=True)
    refuse_same_names([*names, *(peer.name for peer in others)])
    contestants: dict[str, Refiner] = {
        **{name: _build_contestant(name, weights, config) for name in names},
        **{peer.name: peer for peer in others},
    }
    source = trimaps or trimaps_from_segmenter(build_segmenter(config), config)

    def alphas(case: MatteCase) -> dict[str, Alpha]:
        assert case.trimap is not None
        return {
            name: refiner.refine(case.image, case.trimap).alpha
            for name, refiner in contestants.items()
        }

    def measure(alpha: Alpha, case: MatteCase) -> dict[str, float]:
        scores = matte_scores(alpha, case.truth, case.region)
        if source.agrees_with_truth:
            return scores
        return {**scores, "mad_whole": mad(alpha, case.truth, np.ones(alpha.shape, bool))}

    cases = matte_cases(data, source.draw)
    return compare_contestants(
        "refiner", "unknown", cases, len(pairs), alphas, measure, alpha_panels, progress
    )


def evaluate_modnet(
    data: Path, merged: MergedSettings, peers: Sequence[Path] = (), progress: Progress | None = None
) -> Scores:
    """Return the errors of the settings' MODNet and of `peers` in the whole picture.

    Without one in the settings it is the shipped one. `data` holds input/ and gt/; `peers` are TOML
    files of other networks.
    """
    merged = with_modnet(merged)
    return _evaluate_line(
        "modnet", merged.config.modnet.modnet or TRIMAP_FREE, data, merged, peers, progress
    )


def evaluate_pipeline(
    data: Path, merged: MergedSettings, peers: Sequence[Path] = (), progress: Progress | None = None
) -> Scores:
    """Return the errors of the settings' whole line in the whole picture, from the photo alone.

    It is compared with its own mask as alpha, and with peers. `data` holds input/ and gt/.
    """
    return _evaluate_line("pipeline", "pipeline", data, merged, peers, progress)


def _evaluate_line(
    task: EvaluationTask,
    name: str,
    data: Path,
    merged: MergedSettings,
    peers: Sequence[Path],
    progress: Progress | None,
) -> Scores:
    """Return the errors of one line, its mask and peers; `name` is the line's in the scores."""
    pairs = find_pairs(data, MATTE_LAYOUT)
    others = open_peer_networks(peers, merged.config.runtime, with_trimap=False)
    refuse_same_names([name, MASK_ALONE, *(peer.name for peer in others)])
    pipeline = build(merged)

    def alphas(case: MatteCase) -> dict[str, Alpha]:
        matte = pipeline.run(Photo(case.image), name=case.name)
        results = {name: matte.alpha}
        if matte.mask is not None:
            results[MASK_ALONE] = Alpha((matte.mask == SUBJECT).astype(np.float32))
        return {**results, **{peer.name: peer.matte(case.image) for peer in others}}

    def measure(alpha: Alpha, case: MatteCase) -> dict[str, float]:
        return matte_scores(alpha, case.truth, case.region)

    cases = matte_cases(data)
    return compare_contestants(
        task, "whole", cases, len(pairs), alphas, measure, alpha_panels, progress
    )


def _build_contestant(name: str, weights: str | None, config: Config) -> Refiner:
    """Return the refiner that a name stands for; `weights` is the network of "gca"."""
    if name == BLIND:
        return BlindBaseline()
    wanted = (weights or _first_refiner_network()) if name == GCA else name
    return build_refiner(replace(config, refiner=replace(config.refiner, refiner=wanted)))


def _first_refiner_network() -> str:
    """Return the name of the first refiner's network whose weights are here."""
    here = (
        n
        for n, w in all_weights().items()
        if w.kind == "refiner" and storage_status(w) != "not fetched"
    )
    name = next(here, None)
    if name is None:
        raise SettingError(
            "no network for the refiner 'gca' is here",
            "name one with --weights, or compare " + " or ".join(REFINERS),
        )
    return name
