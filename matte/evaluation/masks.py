"""The evaluation of segmenters: IoU and accuracy of their masks, and what their networks cost."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from matte.arrays import Mask
from matte.configs.settings import Config, SegmentationSettings
from matte.errors import PictureError
from matte.evaluation.network_costs import SegmenterCost, cost_steps, measure_costs
from matte.evaluation.pairs import MASK_LAYOUT, MATTE_LAYOUT, MaskCase, find_pairs, mask_cases
from matte.evaluation.peer_networks import open_peer_networks
from matte.evaluation.scores import Scores, compare_contestants, refuse_same_names
from matte.evaluation.sheet import CasePanels, mask_panels
from matte.metrics.intervals import mean_of_ratios
from matte.metrics.masks import CLASS_SHARES, class_shares, mask_scores
from matte.pipeline.build import segmenter_of
from matte.pipeline.networks import OpenNetwork, open_network
from matte.pipeline.steps import cut_subject, segment_photo
from matte.runtime.machine import describe_machine
from matte.stages import Progress, Segmenter

MAX_ASPECT_DIFFERENCE = 0.02  # share by which a truth's proportions may differ
TWO_CLASS_MIOU = "two_class_miou"


@dataclass(frozen=True, slots=True, eq=False)
class _Contestant:
    """A segmenter that takes part: its open network, and the settings that cut its mask."""

    name: str
    network: OpenNetwork
    segmenter: Segmenter
    settings: SegmentationSettings


def evaluate_segmenter(
    data: Path, config: Config, peers: Sequence[Path] = (), progress: Progress | None = None
) -> Scores:
    """Return IoU and accuracy of the settings' segmenter and of peers, at the truth's size.

    As `evaluate_segmenters` does for several; nothing is timed.
    """
    return evaluate_segmenters(data, [config.segmentation.segmenter], config, peers, 0, progress)


def evaluate_segmenters(
    data: Path,
    segmenters: Sequence[str],
    config: Config,
    peers: Sequence[Path] = (),
    runs: int = 0,
    progress: Progress | None = None,
) -> Scores:
    """Return IoU and accuracy of segmenters and of peers, and what their networks cost.

    `data` holds images/ and masks/ (255 subject, 128 not counted, 0 background), or input/ and gt/,
    of which alpha from 0.5 is the subject. `segmenters` are names as --segmenter takes them, the
    evaluated one first; `peers` are TOML files. Masks are compared at the truth's size. `runs` is
    how often each network runs in each runtime; with 0, costs are not measured.
    """
    pairs = find_pairs(data, MASK_LAYOUT, MATTE_LAYOUT)
    contestants = _open_contestants(segmenters, peers, config)
    steps = cost_steps(len(contestants), runs) if runs else 0
    done_steps = itertools.count(1)

    def watch(done: int) -> None:
        if progress is not None:
            progress(done, steps + len(pairs))

    networks = {each.name: each.network for each in contestants}
    costs: dict[str, SegmenterCost] = {}
    if runs:
        costs = measure_costs(networks, config, runs, lambda: watch(next(done_steps)))

    def masks(case: MaskCase) -> dict[str, Mask]:
        return {
            each.name: cut_subject(
                segment_photo(each.segmenter, case.image, each.settings.threshold), each.settings
            ).mask
            for each in contestants
        }

    def measure(mask: Mask, case: MaskCase) -> dict[str, float]:
        resized = _resize_to_truth(mask, case)
        return mask_scores(resized, case.truth) | class_shares(resized, case.truth)

    def panels(mask: Mask, case: MaskCase) -> CasePanels:
        return mask_panels(_resize_to_truth(mask, case), case)

    scores = compare_contestants(
        *("segmenter", "whole", mask_cases(data), len(pairs), masks, measure, panels),
        lambda done, _: watch(steps + done),
    )
    scores = _with_two_class_miou(scores)
    machine = describe_machine()
    machine["threads"] = config.runtime.threads or machine["threads"]
    return replace(scores, costs=costs, machine=machine) if runs else scores


def _open_contestants(
    segmenters: Sequence[str], peers: Sequence[Path], config: Config
) -> list[_Contestant]:
    """Return the segmenters and the peers, their networks opened as the settings ask for."""
    others = open_peer_networks(peers, config.runtime, with_trimap=False)
    refuse_same_names([*segmenters, *(peer.name for peer in others)])
    found = []
    for name in segmenters:
        network = open_network("segmenter", name, config.runtime)
        found.append(_Contestant(name, network, segmenter_of(network, config), config.segmentation))
    plain = SegmentationSettings()
    return [*found, *(_Contestant(peer.name, peer.opened, peer, plain) for peer in others)]


def _with_two_class_miou(scores: Scores) -> Scores:
    """Return scores with the mean of the IoU of subject and background, over all pixels at once.

    It takes the place of the CLASS_SHARES that it is made of.
    """
    shares = [name for pair in CLASS_SHARES for name in pair]
    pooled, values = {}, {}
    for name, metrics in scores.values.items():
        parts = [(metrics[both], metrics[either]) for both, either in CLASS_SHARES]
        pooled[name] = {TWO_CLASS_MIOU: mean_of_ratios(parts)}
        values[name] = {key: value for key, value in metrics.items() if key not in shares}
    return replace(scores, values=values, pooled=pooled)


def _resize_to_truth(mask: Mask, case: MaskCase) -> Mask:
    """Return the mask at the truth's size; raises PictureError if their proportions differ."""
    if mask.shape == case.truth.shape:
        return mask
    (height, width), (h, w) = case.truth.shape, mask.shape
    if not abs(height * w - width * h) <= MAX_ASPECT_DIFFERENCE * width * h:
        raise PictureError(
            f"the truth is {width}×{height}, the picture {w}×{h}", "give both in one shape"
        )
    resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    return Mask(np.asarray(resized, np.uint8))
