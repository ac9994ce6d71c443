"""Scores with costs, as an evaluation of two segmenters gives them; sessions that are watched."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from matte.configs.loader import merge_settings
from matte.configs.settings import Config
from matte.evaluation.network_costs import SegmenterCost, measure_costs
from matte.evaluation.scores import Scores
from matte.evaluation.timed_sessions import RuntimeTiming
from matte.metrics.intervals import Interval
from matte.metrics.timings import TimingSpread
from matte.pipeline.networks import OpenNetwork, open_network

ONNX, OPENVINO = "onnx cpu fp32", "openvino cpu fp32"
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


def settings_for(**flags: Any) -> Config:
    return merge_settings(flags={"size": 64, "threads": 1, "device": "cpu", **flags}).config


def opened(file: Path, settings: Config) -> OpenNetwork:
    return open_network("segmenter", str(file), settings.runtime)


def measure_cost(found: OpenNetwork, settings: Config, runs: int) -> SegmenterCost:
    return measure_costs({"only": found}, settings, runs)["only"]


class Watched:
    """A session whose inputs are kept, and whose outputs are changed."""

    def __init__(self, session: Any, seen: list[Mapping[str, Any]], more: float = 0) -> None:
        self.execution, self._session = session.execution, session
        self._seen, self._more = seen, more

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self._seen.append(inputs)
        found = self._session.run(inputs)
        return {name: values + self._more for name, values in found.items()}
