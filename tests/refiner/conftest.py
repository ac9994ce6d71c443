"""The shipped refiner, and portraits for it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import matte
from matte.arrays import Alpha, Image, Trimap
from matte.configs.amounts import parse_bytes
from matte.configs.settings import Config, RefinerSettings, RuntimeSettings
from matte.imaging.resizing import resize
from matte.media.pictures import read_photo
from matte.pipeline.build import build_refiner
from matte.refiner.gca import Gca
from matte.stages import ReusableAlpha
from tests.conftest import SAMPLE


def shipped(backend: str = "onnx", tile: int | str = "auto", max_memory: str = "auto") -> Gca:
    """gca-slim in float32."""
    limit = None if max_memory == "auto" else parse_bytes(max_memory)
    runtime = RuntimeSettings(backend=backend, precision="fp32", max_memory=limit)  # type: ignore[arg-type]  # a parameter is no literal
    refiner = RefinerSettings("gca-slim", tile)  # type: ignore[arg-type]  # nor is this one
    built = build_refiner(Config(refiner=refiner, runtime=runtime))
    assert isinstance(built, Gca)
    return built


class Previous:
    """A previous alpha, and where it is stale."""

    def __init__(self, alpha: Alpha, stale: NDArray[np.bool_]) -> None:
        self.reusable = ReusableAlpha(alpha, stale)

    def warped_alpha(self, image: Image, trimap: Trimap) -> ReusableAlpha:
        return self.reusable

    def update(self, alpha: Alpha) -> Alpha:
        return alpha


@pytest.fixture(scope="session")
def gca() -> Gca:
    return shipped()


@pytest.fixture(scope="session")
def portraits() -> dict[str, tuple[Image, Trimap]]:
    """The sample's head, 800 × 800, with a band: enlarged, and four times in its own size."""
    head = Image(np.ascontiguousarray(read_photo(SAMPLE).pixels[:400, 60:460]))
    large = resize(head, 800, 800)
    made = matte.load("fast", segmenter="person-light", refiner="smooth", k=5, iterations=4)
    small_band, large_band = made(head).trimap, made(large).trimap
    assert small_band is not None
    assert large_band is not None
    return {
        "soft": (Image(large), Trimap(large_band)),
        "sharp": (Image(_mirrored(head)), Trimap(_mirrored(small_band))),
    }


def _mirrored(values: NDArray[Any]) -> NDArray[Any]:
    wide = np.concatenate([values, values[:, ::-1]], axis=1)
    return np.concatenate([wide, wide[::-1]])
