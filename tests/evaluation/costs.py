"""Scores with costs, as an evaluation of two segmenters gives them."""

from dataclasses import replace
from typing import Any

import numpy as np

from matte.evaluation.network_costs import RuntimeTiming, SegmenterCost
from matte.evaluation.scores import Scores
from matte.metrics.intervals import Interval
from matte.metrics.timings import TimingSpread

MACHINE: dict[str, Any] = {"processor": "Abacus", "threads": 2}


def timing(ms: float) -> RuntimeTiming:
    return RuntimeTiming(TimingSpread(ms, ms - 1, ms + 2, 20), 0.0)


def segmenter_scores() -> Scores:
    """Two segmenters on 30 pictures: a slow good one, and a quick one that OpenVINO can't run."""
    random = np.random.default_rng(0)
    pictures = tuple(str(number) for number in range(30))
    values = {
        name: {"miou": random.normal(iou, 0.02, 30).tolist(), "accuracy": [iou + 0.02] * 30}
        for name, iou in (("large", 0.95), ("small", 0.9))
    }
    pooled = {name: {"two_class_miou": Interval(0.9712, 0.96, 0.98)} for name in values}
    scores = Scores("segmenter", "whole", pictures, values, "small", {}, (), pooled)
    broken = RuntimeTiming(None, error="OpenVINO failed: try --backend onnx")
    costs = {
        "large": SegmenterCost(448, 448, 2_852_113, 4_530_000_000, {
            "onnx cpu fp32": timing(160), "openvino cpu fp32": timing(100),
        }),
        "small": SegmenterCost(256, 320, 950, None, {
            "onnx cpu fp32": timing(12.34), "openvino cpu fp32": broken,
        }),
    }  # fmt: skip
    return replace(scores, costs=costs, machine=MACHINE)
