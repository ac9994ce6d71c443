from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Image, Trimap
from matte.errors import SettingError
from matte.refiner.gca import Gca
from matte.refiner.tiles import SIDE
from matte.runtime.execution import Execution
from matte.runtime.memory import MemoryLimit
from matte.stages import ReusableAlpha


class Red:
    """A session whose alpha is the picture's red; it remembers the sizes that it was given."""

    execution = Execution("red")

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
    alpha = Gca(session).refine(image, trimap).alpha
    assert session.seen[0] == (480, 640), "a small copy"
    assert set(session.seen[1:]) <= {(SIDE, SIDE)}
    unknown = trimap == UNKNOWN
    assert alpha.shape == (901, 1203)
    assert np.abs(alpha - image[:, :, 0] / 255)[unknown].max() < 0.01
    assert np.array_equal(alpha[~unknown], (trimap[~unknown] == SUBJECT).astype(np.float32))


def test_without_tiles_alpha_is_the_wholes_with_every_trace() -> None:
    session = Red()
    Gca(session, tile="off").refine(*ramp(901, 1203))
    assert session.seen == [(992, 1280)]
    faint = Image(np.full((64, 96, 3), 100, np.uint16))  # of 65535
    everywhere = Trimap(np.full((64, 96), UNKNOWN, np.uint8))
    assert (Gca(Red(), tile="off").refine(faint, everywhere).alpha > 0).all()
    assert (Gca(Red()).refine(faint, everywhere).alpha == 0).all()
    assert (Gca(Red()).refine(Image(65535 - faint), everywhere).alpha == 1).all()


def test_reports_tell_the_copy_and_its_size() -> None:
    image, trimap = ramp(901, 1203)
    session = Red()
    told = Gca(session).refine(image, trimap).report
    assert told["way"] == "copy and tiles"
    assert (told["copy"]["width"], told["copy"]["height"]) == (640, 479)
    assert told["copy"]["way"] == "whole"
    assert told["tiles"] == sum(
        n for n, s in zip(session.counts, session.seen, strict=True) if s == (SIDE, SIDE)
    )


def test_named_tiles_are_all_that_is_seen() -> None:
    session = Red()
    told = Gca(session, tile=64).refine(*ramp(200, 300)).report
    assert set(session.seen) == {(64, 64)}
    assert told["tiles"] == sum(session.counts)
    assert max(session.counts) > 1


def test_networks_of_one_picture_at_once_get_one() -> None:
    session = Red()
    session.inputs["image"] = (1, 3, None, None)
    image, trimap = ramp(200, 300)
    assert np.array_equal(
        Gca(session, tile=64).refine(image, trimap).alpha,
        Gca(Red(), tile=64).refine(image, trimap).alpha,
    )
    assert set(session.counts) == {1}


def test_networks_of_one_size_see_the_whole() -> None:
    session = Red()
    session.inputs = {"image": (1, 3, 192, 320), "trimap": (1, 1, 192, 320)}
    for tile in ("auto", "off"):
        Gca(session, "tester", tile).refine(*ramp(190, 310))
    assert session.seen == [(192, 320)] * 2
    with pytest.raises(SettingError, match="takes no tiles: leave --tile out"):
        Gca(session, "tester", 64)


def test_the_whole_is_measured_with_its_border() -> None:
    image, trimap = ramp(1, 9000)
    session = Red()
    with pytest.raises(SettingError, match=r"sees 0\.289 megapixels at once"):
        Gca(session, "tester", "off", MemoryLimit(376 << 20)).refine(image, trimap)
    assert not session.seen


def test_others_are_refined_as_they_are() -> None:
    image, trimap = ramp(64, 96)
    session = Red()
    alpha = Gca(session, "tester").refine(image, trimap).alpha
    assert session.seen == [(64, 96)]
    inside = trimap == UNKNOWN
    np.testing.assert_allclose(alpha[inside], image[:, :, 0][inside] / 255, atol=1e-6)


def test_a_photo_s_changes_are_refined_again_as_the_whole_was() -> None:
    image, trimap = ramp(1800, 2400)
    session = Red()
    whole = Gca(session).refine(image, trimap)
    scale = whole.report["copy"]["width"] / 2400
    changed = trimap.copy()
    changed[900:920, 1200:1240] = SUBJECT
    session.counts.clear()
    before = ReusableAlpha(whole.alpha, changed != trimap, scale)
    found = Gca(session).refine_stale(image, Trimap(changed), before)
    anew = Gca(Red()).refine(image, Trimap(changed)).alpha
    difference = np.abs(found - anew)
    difference[895:925, 1195:1245] = 0  # at the change itself copies differ by a pixel's share
    assert difference.max() < 0.01
    assert 0 < sum(session.counts) < 12
    nothing = ReusableAlpha(whole.alpha, changed != changed, scale)
    assert Gca(session).refine_stale(image, trimap, nothing) is whole.alpha
