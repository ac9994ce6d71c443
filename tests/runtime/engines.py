"""Engines as they are stored, with made-up plans."""

from dataclasses import replace
from typing import Any

from matte.runtime.engine_shapes import (
    EngineShapes,
)
from matte.runtime.engine_store import (
    Engine,
    EngineKey,
    file_digest,
)
from matte.runtime.execution import NetworkSource
from matte.weights.store import find_weights

PATH = find_weights("segmenter", "person-light").path
SHAPES = EngineShapes((1, 32, 32), (1, 320, 320), (8, 1024, 1024))
INPUTS: dict[str, tuple[int | None, ...]] = {"image": (None, 3, None, None)}
GPU, VERSION = "NVIDIA H200", "11.4.0.106"


def key(network: NetworkSource, /, **other: Any) -> EngineKey:
    return replace(EngineKey(file_digest(network), VERSION, GPU, "9.0", "fp16"), **other)


def engine(plan: bytes = b"plan") -> Engine:
    return Engine(plan, SHAPES, INPUTS, {"matte.size": "320"}, (0.002, 1e-5))
