"""Networks refine on a device as in numpy: whole, in tiles, after a copy, and where it is stale."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Image
from matte.errors import WeightsError
from matte.gpu.pictures import DeviceReusableAlpha, upload_picture, upload_trimap
from matte.gpu.refiner import DeviceGca
from matte.gpu.transfer import CPU, download_plane, upload_plane
from matte.refiner.gca import Gca
from matte.runtime.memory import MemoryLimit
from matte.stages import ReusableAlpha
from tests.gpu.lines import FakeRefinerNetwork
from tests.gpu.shapes import ring_frame
from tests.tolerances import DEVICE_REFINED


@pytest.mark.parametrize(
    ("height", "width", "tile", "method"),
    [
        (90, 130, "auto", "whole"),
        (200, 300, "off", "whole"),
        (200, 300, 160, "tiles"),
        (600, 900, "auto", "copy and tiles"),
    ],
)
def test_alpha_and_report_are_alike(height: int, width: int, tile: int | str, method: str) -> None:
    image, trimap = ring_frame(height, width, 1 / 4)
    image = Image(np.asarray(cv2.blur(image, (25, 25)), np.uint8))  # a copy shows all of it
    gca = Gca(FakeRefinerNetwork(), "demo", tile, MemoryLimit(700 << 20))
    expected = gca.refine(image, trimap)
    found = DeviceGca(gca).refine(upload_picture(image, CPU), upload_trimap(trimap, CPU))
    assert expected.report["way"] == method
    assert found.report == expected.report
    apart = np.abs(download_plane(found.alpha) - expected.alpha)
    assert apart.mean() <= DEVICE_REFINED
    assert apart[trimap != UNKNOWN].max() == 0


def test_a_low_picture_is_extended_where_it_does_not_fit() -> None:
    image, trimap = ring_frame(100, 400)
    gca = Gca(FakeRefinerNetwork(), "tester", "auto", MemoryLimit(290 << 20))
    expected = gca.refine(image, trimap)
    found = DeviceGca(gca).refine(upload_picture(image, CPU), upload_trimap(trimap, CPU))
    assert expected.report["way"] == "tiles"
    assert np.abs(download_plane(found.alpha) - expected.alpha).mean() <= DEVICE_REFINED


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_stale_alpha_is_refined_again(share: float) -> None:
    """In tiles, or all of it where tiles would see as much."""
    image, trimap = ring_frame(360, 640)
    network = FakeRefinerNetwork()
    gca = Gca(network, "tester")
    alpha = Alpha(np.where(trimap == UNKNOWN, 0.3, trimap / 255).astype(np.float32))
    stale = (trimap == UNKNOWN) & (np.arange(640) < 640 * share)
    expected = gca.refine_stale(image, trimap, ReusableAlpha(alpha, stale))
    seen = network.seen.copy()
    known = DeviceReusableAlpha(upload_plane(alpha, CPU), upload_plane(stale, CPU))
    pictures = upload_picture(image, CPU), upload_trimap(trimap, CPU)
    found = download_plane(DeviceGca(gca).refine(*pictures, known).alpha)
    assert np.abs(found - expected).mean() <= DEVICE_REFINED
    assert network.seen[len(seen) :] == seen
    kept = (found == alpha) & (trimap == UNKNOWN)
    assert kept.any() == (share < 1)


def test_nothing_unknown_needs_no_network() -> None:
    network = FakeRefinerNetwork()
    image, trimap = ring_frame(64, 64)
    trimap[trimap == UNKNOWN] = 255
    found = DeviceGca(Gca(network)).refine(upload_picture(image, CPU), upload_trimap(trimap, CPU))
    assert np.array_equal(download_plane(found.alpha), trimap / 255)
    assert not network.seen


def test_what_is_no_alpha_is_an_error() -> None:
    class Broken(FakeRefinerNetwork):
        def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
            return {"alpha": inputs["trimap"] * np.float32(np.nan)}

    pictures = ring_frame(64, 64)
    with pytest.raises(WeightsError, match="no alpha of"):
        DeviceGca(Gca(Broken())).refine(
            upload_picture(pictures[0], CPU), upload_trimap(pictures[1], CPU)
        )
