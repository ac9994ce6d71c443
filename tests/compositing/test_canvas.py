from fractions import Fraction

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.compositing.canvas import (
    Canvas,
    PlacedSubject,
    Shadow,
    ShadowedGround,
    cast_shadow,
    parse_canvas_size,
    parse_shadow,
    parse_share,
    place_on_canvas,
    shadow_of,
)
from matte.compositing.composer import PictureGround
from matte.errors import SettingError


def box(top: int, left: int, high: int, wide: int, size: tuple[int, int] = (100, 120)) -> Alpha:
    """Returns alpha that is 1 in a box."""
    alpha = np.zeros(size, np.float32)
    alpha[top : top + high, left : left + wide] = 1
    return Alpha(alpha)


ALPHA = box(10, 20, 40, 20)
RED = Image(np.full((100, 120, 3), (200, 30, 40), np.uint8))


def edges(placed: PlacedSubject) -> tuple[int, int, int, int]:
    """Returns where the subject begins and ends: top, bottom, left, right."""
    rows, columns = np.nonzero(placed.alpha >= 0.5)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize(("side", "scale"), [(400, 8.5), (100, 2.125), (20, 0.425)])
def test_the_subject_fills_its_share_in_the_middle(side: int, scale: float) -> None:
    placed = place_on_canvas(RED, ALPHA, Canvas(side, side))
    assert placed.alpha.shape == (side, side)
    assert placed.scale == pytest.approx(scale)
    assert placed.fill == pytest.approx(0.85)
    top, bottom, left, right = edges(placed)
    assert bottom - top == pytest.approx(0.85 * side, abs=1)
    assert right - left == pytest.approx(0.425 * side, abs=1)
    assert top + bottom == pytest.approx(side, abs=1)
    assert left + right == pytest.approx(side, abs=1)


def test_at_the_bottom_the_margin_below_is_that_of_the_middle() -> None:
    wide = box(10, 20, 10, 60)
    placed = place_on_canvas(RED, wide, Canvas(200, 300, fill=0.8, align="bottom"))
    top, bottom, left, right = edges(placed)
    assert bottom == pytest.approx(270, abs=1)
    assert right - left == pytest.approx(160, abs=1)
    assert top == pytest.approx(270 - 160 / 6, abs=1)


def test_colours_keep_their_values_at_soft_edges() -> None:
    soft = Alpha(np.clip(ALPHA * 0.6, 0, 1).astype(np.float32))
    colours = RED.copy()
    colours[soft == 0] = (0, 255, 0)  # the old background must not come in
    placed = place_on_canvas(Image(colours), soft, Canvas(50, 50))
    inside = placed.alpha > 0.1
    assert np.abs(placed.colours[inside].astype(int) - (200, 30, 40)).max() <= 2


def test_sixteen_bits_stay() -> None:
    deep = Image(RED.astype(np.uint16) * 257)
    placed = place_on_canvas(deep, ALPHA, Canvas(64, 64))
    assert placed.colours.dtype == np.uint16
    assert placed.colours[32, 32].tolist() == [200 * 257, 30 * 257, 40 * 257]


def test_without_a_subject_the_picture_is_placed() -> None:
    nothing = Alpha(np.zeros((100, 120), np.float32))
    placed = place_on_canvas(RED, nothing, Canvas(60, 60, fill=1))
    assert placed.scale == pytest.approx(0.5)
    assert not placed.alpha.any()


@pytest.mark.parametrize("kind", ["drop", "contact"])
def test_a_shadow_lies_where_light_does_not_come(kind: str) -> None:
    alpha = box(100, 100, 200, 200, (400, 400))
    dark = shadow_of(alpha, Shadow(kind, 0.5))  # type: ignore[arg-type]  # one of the two
    assert 0.05 < dark.max() <= 0.5
    assert dark[:90].max() < 0.01
    rows = np.nonzero(dark > 0.1)[0]
    assert (rows.min() > 250) == (kind == "contact")
    assert rows.max() > 300
    ground = ShadowedGround(
        PictureGround(Image(np.full((1, 1, 3), 200, np.uint8))), Shadow("drop", 1)
    )
    picture = ground.background_for(Image(np.zeros((400, 400, 3), np.uint8)), alpha, Fraction(0))
    assert picture[200, 200, 0] < 30
    assert picture[10, 10, 0] == 200


def test_a_cut_out_carries_its_shadow() -> None:
    alpha = box(100, 100, 200, 200, (400, 400))
    colours, whole = cast_shadow(
        Image(np.full((400, 400, 3), 90, np.uint8)), alpha, Shadow("drop", 0.5)
    )
    assert whole[200, 200] == 1
    assert colours[200, 200, 0] == 90
    assert 0 < whole[303, 200] < 0.5
    assert colours[303, 200, 0] == 0
    assert whole[10, 10] == 0


def test_nobody_throws_no_shadow() -> None:
    assert not shadow_of(Alpha(np.zeros((9, 9), np.float32)), Shadow("drop", 1)).any()


def test_what_is_written_is_understood() -> None:
    assert parse_canvas_size("2000x1500") == (2000, 1500)
    assert parse_shadow("none") is None
    assert str(parse_shadow("drop:20%")) == "drop:20%"
    assert parse_shadow("contact") == Shadow("contact", 0.5)


@pytest.mark.parametrize("text", ["2000", "0x5", "x", "99999x2", "2000*2000"])
def test_no_size_of_a_canvas(text: str) -> None:
    with pytest.raises(SettingError):
        Canvas(*parse_canvas_size(text))


@pytest.mark.parametrize("text", ["85", "0%", "101%", "-5%", "x%"])
def test_no_share(text: str) -> None:
    with pytest.raises(SettingError):
        parse_share(text)
    with pytest.raises(SettingError):
        parse_shadow(f"drop:{text}")


def test_no_shadow_of_that_name() -> None:
    with pytest.raises(SettingError, match="no shadow 'long'"):
        parse_shadow("long")
    with pytest.raises(SettingError, match="fill"):
        Canvas(10, 10, fill=1.5)
