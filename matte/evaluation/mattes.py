"""How well refiners, MODNets and the whole line find alpha."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from matte.arrays import SUBJECT, Alpha, Image, Trimap
from matte.configs.loader import TRIMAP_FREE, MergedSettings, with_modnet
from matte.configs.settings import Config
from matte.errors import SettingError
from matte.evaluation.blind import Blind
from matte.evaluation.pairs import MATTE_LAYOUT, MatteCase, find_pairs, matte_cases
from matte.evaluation.peer import open_peers
from matte.evaluation.scores import Scores, Task, Watch, contest, label_once
from matte.evaluation.sheet import show_alpha
from matte.evaluation.trimaps import Trimaps, from_segmenter
from matte.media.pictures import Photo
from matte.metrics.mattes import mad, matte_scores
from matte.pipeline.build import build, build_refiner, build_segmenter
from matte.refiner import REFINERS
from matte.weights.store import all_weights, storage_status

BLIND = "blind"
GCA = "gca"  # whichever network --weights names, or the first one that is here
MASK_ALONE = "mask alone"


def evaluate_refiner(
    data: Path,
    refiners: Sequence[str],
    config: Config,
    trimaps: Trimaps | None = None,
    weights: str | None = None,
    peers: Sequence[Path] = (),
    watch: Watch | None = None,
) -> Scores:
    """The errors in the trimaps' unknown pixels of refiners, peers and the picture-blind baseline.

    `data` holds input/ and gt/. `refiners` are names as --refiner takes them, "blind", or "gca",
    which is the network `weights`. Without `trimaps`, the settings' own segmenter and trimap stage
    make them. Where trimaps are not to be trusted, `mad_whole` counts what is wrong in the whole
    picture besides.
    """
    pairs = find_pairs(data, MATTE_LAYOUT)
    names = [*refiners] if BLIND in refiners else [*refiners, BLIND]
    others = open_peers(peers, config.runtime, with_trimap=True)
    label_once([*names, *(peer.name for peer in others)])
    ways: dict[str, Callable[[Image, Trimap], Alpha]] = {
        **{name: _refine(name, weights, config) for name in names},
        **{peer.name: peer.refine for peer in others},
    }
    source = trimaps or from_segmenter(build_segmenter(config), config)

    def alphas(case: MatteCase) -> dict[str, Alpha]:
        assert case.trimap is not None
        return {name: refine(case.image, case.trimap) for name, refine in ways.items()}

    def measure(alpha: Alpha, case: MatteCase) -> dict[str, float]:
        scores = matte_scores(alpha, case.truth, case.region)
        if source.trusted:
            return scores
        return {**scores, "mad_whole": mad(alpha, case.truth, np.ones(alpha.shape, bool))}

    cases = matte_cases(data, source.draw)
    return contest("refiner", "unknown", cases, len(pairs), alphas, measure, show_alpha, watch)


def evaluate_modnet(
    data: Path, merged: MergedSettings, peers: Sequence[Path] = (), watch: Watch | None = None
) -> Scores:
    """The errors in the whole picture of the MODNet that the settings name, or of the shipped one,
    and of peers.

    `data` holds input/ and gt/.
    """
    merged = with_modnet(merged)
    return _evaluate_line(
        "modnet", merged.config.modnet.modnet or TRIMAP_FREE, data, merged, peers, watch
    )


def evaluate_pipeline(
    data: Path, merged: MergedSettings, peers: Sequence[Path] = (), watch: Watch | None = None
) -> Scores:
    """The errors in the whole picture of the line that the settings describe, from the photo alone.

    For comparison: its mask taken for alpha, and the peers. `data` holds input/ and gt/.
    """
    return _evaluate_line("pipeline", "pipeline", data, merged, peers, watch)


def _evaluate_line(
    task: Task,
    name: str,
    data: Path,
    merged: MergedSettings,
    peers: Sequence[Path],
    watch: Watch | None,
) -> Scores:
    pairs = find_pairs(data, MATTE_LAYOUT)
    others = open_peers(peers, merged.config.runtime, with_trimap=False)
    label_once([name, MASK_ALONE, *(peer.name for peer in others)])
    pipeline = build(merged)

    def alphas(case: MatteCase) -> dict[str, Alpha]:
        matte = pipeline.run(Photo(case.image), name=case.name)
        found = {name: matte.alpha}
        if matte.mask is not None:
            found[MASK_ALONE] = Alpha((matte.mask == SUBJECT).astype(np.float32))
        return {**found, **{peer.name: peer.matte(case.image) for peer in others}}

    def measure(alpha: Alpha, case: MatteCase) -> dict[str, float]:
        return matte_scores(alpha, case.truth, case.region)

    cases = matte_cases(data)
    return contest(task, "whole", cases, len(pairs), alphas, measure, show_alpha, watch)


def _refine(name: str, weights: str | None, config: Config) -> Callable[[Image, Trimap], Alpha]:
    if name == BLIND:
        return Blind().refine
    wanted = (weights or _first_network()) if name == GCA else name
    settings = replace(config, refiner=replace(config.refiner, refiner=wanted))
    refiner = build_refiner(settings)
    return lambda image, trimap: refiner.refine(image, trimap).alpha


def _first_network() -> str:
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
