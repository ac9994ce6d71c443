from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Image, Trimap
from matte.configs.settings import Config, RefinerSettings, RuntimeSettings
from matte.errors import MatteWarning
from matte.pipeline.build import build_refiner
from matte.refiner.gca import Gca
from matte.runtime.ways import Way
from tests.tolerances import BATCHED


class Red:
    """A session whose alpha is the picture's red; it remembers the sizes that it was given."""

    way = Way("red")

    def __init__(self) -> None:
        self.inputs: dict[str, tuple[int | None, ...]] = {
            "image": (None, 3, None, None),
            "trimap": (None, 1, None, None),
        }
        self.seen: list[tuple[int, ...]] = []
        self.counts: list[int] = []

    def run(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        self.seen.append(given["trimap"].shape[2:])
        self.counts.append(len(given["trimap"]))
        return {"alpha": given["image"][:, :1]}

    def metadata(self) -> dict[str, str]:
        return {}


def ramp(height: int, width: int) -> tuple[Image, Trimap]:
    """Red rises from left to right; unknown but for both ends."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 0] = np.linspace(0, 255, width)
    trimap = np.full((height, width), UNKNOWN, np.uint8)
    trimap[:, : width // 8] = 0
    trimap[:, -width // 8 :] = SUBJECT
    return Image(image), Trimap(trimap)


def test_large_pictures_are_refined_smaller_and_that_is_said() -> None:
    image, trimap = ramp(301, 403)
    session = Red()
    with pytest.warns(MatteWarning, match=r"alpha of 403×301 is refined at 163×122"):
        alpha = Gca(session, "tester", 20_000).refine(image, trimap)
    assert session.seen == [(128, 192)]
    unknown = trimap == UNKNOWN
    assert alpha.shape == (301, 403)
    assert np.abs(alpha - image[:, :, 0] / 255)[unknown].max() < 0.02
    assert np.array_equal(alpha[~unknown], (trimap[~unknown] == SUBJECT).astype(np.float32))


def test_others_are_refined_as_they_are() -> None:
    image, trimap = ramp(64, 96)
    session = Red()
    alpha = Gca(session, "tester", 64 * 96).refine(image, trimap)
    assert session.seen == [(64, 96)]
    inside = trimap == UNKNOWN
    np.testing.assert_allclose(alpha[inside], image[:, :, 0][inside] / 255, atol=1e-6)


def test_thin_unknown_lines_are_not_lost_in_the_small_one() -> None:
    image, trimap = ramp(200, 200)
    trimap[:] = 0
    trimap[:, 100:] = SUBJECT
    trimap[:, 99] = UNKNOWN
    session = Red()
    with pytest.warns(MatteWarning):
        alpha = Gca(session, "tester", 1600).refine(image, trimap)
    assert 0.3 < alpha[:, 99].mean() < 0.7


def bands(height: int, width: int, count: int) -> tuple[Image, list[Trimap]]:
    """A picture and trimaps that are unknown ever farther; the last one nowhere."""
    image, trimap = ramp(height, width)
    trimaps = []
    for number in range(count):
        band = trimap.copy()
        band[: number * height // count] = 0
        trimaps.append(Trimap(band))
    return image, [*trimaps, Trimap(np.zeros((height, width), np.uint8))]


@pytest.mark.parametrize("pixels", [0, 3_000])
@pytest.mark.filterwarnings("ignore:alpha of")
def test_several_trimaps_are_each_refined_as_alone(pixels: int) -> None:
    image, trimaps = bands(60, 80, 5)
    gca = Gca(Red(), pixels=pixels)
    for trimap, alpha in zip(trimaps, gca.refine_all(image, trimaps), strict=True):
        assert np.array_equal(alpha, gca.refine(image, trimap))
    assert gca.refine_all(image, []) == []


def test_a_batch_has_no_more_pixels_than_a_large_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matte.refiner.gca.PIXELS", 2 * 64 * 96)
    image, trimaps = bands(64, 96, 3)
    session = Red()
    Gca(session, "tester").refine_all(image, trimaps)
    assert session.counts == [2, 1]


def test_a_network_for_one_picture_is_given_one() -> None:
    image, trimaps = bands(64, 96, 3)
    session = Red()
    session.inputs["image"] = (1, 3, None, None)
    Gca(session, "tester").refine_all(image, trimaps)
    assert session.counts == [1, 1, 1]


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_the_shipped_network_takes_batches(backend: Literal["onnx", "openvino"]) -> None:
    config = Config(refiner=RefinerSettings("gca-slim"), runtime=RuntimeSettings(backend))
    gca = build_refiner(config)
    assert isinstance(gca, Gca)
    image, trimaps = bands(90, 120, 3)
    for trimap, alpha in zip(trimaps, gca.refine_all(image, trimaps), strict=True):
        assert np.abs(alpha - gca.refine(image, trimap)).max() < BATCHED
