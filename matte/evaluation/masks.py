"""How well segmenters find the subject."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from matte.arrays import Image, Mask
from matte.configs.settings import Config
from matte.errors import PictureError
from matte.evaluation.pairs import MASK_LAYOUT, MATTE_LAYOUT, MaskCase, find_pairs, mask_cases
from matte.evaluation.peer import open_peers
from matte.evaluation.scores import Scores, Watch, contest, label_once
from matte.evaluation.sheet import Panels, show_mask
from matte.metrics.masks import mask_scores
from matte.pipeline.build import build_segmenter
from matte.pipeline.steps import cut_subject

ASPECT = 0.02  # share by which a truth's proportions may differ from its picture's


def evaluate_segmenter(
    data: Path, config: Config, peers: Sequence[Path] = (), watch: Watch | None = None
) -> Scores:
    """mIoU and accuracy of the segmenter that the settings name, and of peers, at the truth's size.

    `data` holds images/ and masks/ (255 subject, 128 not counted, 0 background), or input/ and gt/,
    of which alpha from 0.5 is the subject. `peers` are TOML files.
    """
    pairs = find_pairs(data, MASK_LAYOUT, MATTE_LAYOUT)
    others = open_peers(peers, config.runtime, with_trimap=False)
    name = config.segmentation.segmenter
    label_once([name, *(peer.name for peer in others)])
    segmenter = build_segmenter(config)
    segmenters: dict[str, Callable[[Image], Mask]] = {
        name: lambda image: cut_subject(segmenter.segment(image), config.segmentation).mask,
        **{peer.name: peer.segment for peer in others},
    }

    def masks(case: MaskCase) -> dict[str, Mask]:
        return {name: segment(case.image) for name, segment in segmenters.items()}

    def measure(mask: Mask, case: MaskCase) -> dict[str, float]:
        return mask_scores(_at_truths_size(mask, case), case.truth)

    def show(mask: Mask, case: MaskCase) -> Panels:
        return show_mask(_at_truths_size(mask, case), case)

    return contest("segmenter", "whole", mask_cases(data), len(pairs), masks, measure, show, watch)


def _at_truths_size(mask: Mask, case: MaskCase) -> Mask:
    if mask.shape == case.truth.shape:
        return mask
    (height, width), (h, w) = case.truth.shape, mask.shape
    if not abs(height * w - width * h) <= ASPECT * width * h:
        raise PictureError(
            f"the truth is {width}×{height}, the picture {w}×{h}", "give both in one shape"
        )
    resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    return Mask(np.asarray(resized, np.uint8))
