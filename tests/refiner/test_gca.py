from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Image, Trimap
from matte.configs.settings import Config, RefinerSettings, RuntimeSettings
from matte.pipeline.build import build_refiner
from matte.refiner.gca import Gca
from matte.refiner.tiles import SIDE
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


def test_large_pictures_are_refined_in_parts() -> None:
    image, trimap = ramp(901, 1203)
    session = Red()
    alpha = Gca(session).refine(image, trimap)
    assert session.seen[0] == (480, 640), "a small copy"
    assert set(session.seen[1:]) <= {(SIDE, SIDE)}
    unknown = trimap == UNKNOWN
    assert alpha.shape == (901, 1203)
    assert np.abs(alpha - image[:, :, 0] / 255)[unknown].max() < 0.01
    assert np.array_equal(alpha[~unknown], (trimap[~unknown] == SUBJECT).astype(np.float32))


def test_who_wants_it_exact_gets_the_whole_and_every_trace_of_alpha() -> None:
    session = Red()
    Gca(session, exact=True).refine(*ramp(901, 1203))
    assert session.seen == [(992, 1280)]
    faint = Image(np.full((64, 96, 3), 100, np.uint16))  # of 65535
    everywhere = Trimap(np.full((64, 96), UNKNOWN, np.uint8))
    assert (Gca(Red(), exact=True).refine(faint, everywhere) > 0).all()
    assert (Gca(Red()).refine(faint, everywhere) == 0).all()
    assert (Gca(Red()).refine(Image(65535 - faint), everywhere) == 1).all()


def test_others_are_refined_as_they_are() -> None:
    image, trimap = ramp(64, 96)
    session = Red()
    alpha = Gca(session, "tester").refine(image, trimap)
    assert session.seen == [(64, 96)]
    inside = trimap == UNKNOWN
    np.testing.assert_allclose(alpha[inside], image[:, :, 0][inside] / 255, atol=1e-6)


def bands(height: int, width: int, count: int) -> tuple[Image, list[Trimap]]:
    """A picture and trimaps that are unknown ever farther; the last one nowhere."""
    image, trimap = ramp(height, width)
    trimaps = []
    for number in range(count):
        band = trimap.copy()
        band[: number * height // count] = 0
        trimaps.append(Trimap(band))
    return image, [*trimaps, Trimap(np.zeros((height, width), np.uint8))]


@pytest.mark.parametrize("shape", [(60, 80), (700, 900)])
def test_several_trimaps_are_each_refined_as_alone(shape: tuple[int, int]) -> None:
    image, trimaps = bands(*shape, 5)
    gca = Gca(Red())
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
