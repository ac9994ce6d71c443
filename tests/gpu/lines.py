"""Lines whose networks are simple functions, for what both a device and numpy run."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.configs.loader import merge_settings
from matte.configs.settings import Config
from matte.pipeline.budget import Budget
from matte.pipeline.line import TwoStage
from matte.refiner.gca import Gca
from matte.refiner.guided import Guided
from matte.runtime.execution import Execution
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.stages import NetworkFacts, Refiner
from tests.fakes import FakeSession

NETWORK_SIDE = 96  # pixels that the segmenter sees
ON_GPU = NetworkFacts("network", "", {"backend": "onnx", "device": "gpu:0", "precision": "fp32"})


def brightness(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Confidence: smooth, and sure where it is bright or dark."""
    grey = np.stack([cv2.blur(each.mean(axis=0), (3, 3)) for each in pictures])[:, None]
    return np.clip((grey - 0.45) * 6 + 0.5, 0, 1).astype(np.float32)


class FakeRefinerNetwork:
    """Alpha as the picture's brightness where the trimap is unknown, else smoothed a little."""

    execution = Execution("fake")

    def __init__(self, attention: bool = True) -> None:
        self.inputs: dict[str, tuple[int | None, ...]] = {
            "image": (None, 3, None, None),
            "trimap": (None, 1, None, None),
        }
        if attention:
            self.inputs["unknown_ratio"] = (None,)
        self.seen: list[tuple[int, ...]] = []

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        image, trimap = inputs["image"], inputs["trimap"]
        self.seen.append(image.shape)
        grey = np.clip((image.mean(axis=1, keepdims=True) - 0.4) * 4, 0, 1)
        near = np.stack([cv2.blur(each[0], (5, 5)) for each in trimap])[:, None]
        return {"alpha": (0.8 * grey + 0.2 * near).astype(np.float32)}

    def metadata(self) -> dict[str, str]:
        return {}


def settings(preset: str = "fast", **flags: Any) -> Config:
    return merge_settings(preset, flags=flags).config


def line(config: Config, refiner: Refiner | None = None) -> TwoStage:
    """The settings' line with the simple networks; the refiner is `guided` if they name it."""
    segmenter = LetterboxedSegmenter(
        FakeSession(brightness), config.segmentation, NETWORK_SIDE, ON_GPU
    )
    if refiner is None:
        guided = config.refiner.refiner == "guided"
        network = FakeRefinerNetwork()
        refiner = Guided() if guided else Gca(network, "tester", "auto", network=ON_GPU)
    budget = Budget(0)
    return TwoStage(segmenter, config.segmentation, config.trimap, refiner, budget)
