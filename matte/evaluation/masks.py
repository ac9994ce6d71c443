"""The evaluation of segmenters: mIoU and accuracy of their masks."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from matte.arrays import Mask
from matte.configs.settings import Config, SegmentationSettings
from matte.errors import PictureError
from matte.evaluation.pairs import MASK_LAYOUT, MATTE_LAYOUT, MaskCase, find_pairs, mask_cases
from matte.evaluation.peer_networks import open_peer_networks
from matte.evaluation.scores import Scores, compare_contestants, refuse_same_names
from matte.evaluation.sheet import CasePanels, mask_panels
from matte.metrics.masks import mask_scores
from matte.pipeline.build import build_segmenter
from matte.pipeline.steps import cut_subject
from matte.stages import Progress, Segmenter

MAX_ASPECT_DIFFERENCE = 0.02  # share by which a truth's proportions may differ


def evaluate_segmenter(
    data: Path, config: Config, peers: Sequence[Path] = (), progress: Progress | None = None
) -> Scores:
    """Return mIoU and accuracy of the settings' segmenter and of peers, at the truth's size.

    `data` holds images/ and masks/ (255 subject, 128 not counted, 0 background), or input/ and gt/,
    of which alpha from 0.5 is the subject. `peers` are TOML files.
    """
    pairs = find_pairs(data, MASK_LAYOUT, MATTE_LAYOUT)
    others = open_peer_networks(peers, config.runtime, with_trimap=False)
    name = config.segmentation.segmenter
    refuse_same_names([name, *(peer.name for peer in others)])
    segmenters: dict[str, tuple[Segmenter, SegmentationSettings]] = {
        name: (build_segmenter(config), config.segmentation),
        **{peer.name: (peer, SegmentationSettings()) for peer in others},
    }

    def masks(case: MaskCase) -> dict[str, Mask]:
        return {
            name: cut_subject(segmenter.segment(case.image), settings).mask
            for name, (segmenter, settings) in segmenters.items()
        }

    def measure(mask: Mask, case: MaskCase) -> dict[str, float]:
        return mask_scores(_resize_to_truth(mask, case), case.truth)

    def panels(mask: Mask, case: MaskCase) -> CasePanels:
        return mask_panels(_resize_to_truth(mask, case), case)

    cases = mask_cases(data)
    return compare_contestants(
        "segmenter", "whole", cases, len(pairs), masks, measure, panels, progress
    )


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
