import numpy as np
import pytest

from matte.arrays import Image
from matte.compositing.composer import Composer
from matte.sweeps.run import sweep
from matte.sweeps.sheet import CELL_SIDE, COLUMNS, compose_settings, draw_sheet, make_section
from tests.conftest import disc
from tests.sweeps.bright_line import kernels, line, on_magenta, sheet_of


def test_the_sheet_has_a_row_for_each_setting_and_shows_the_ground() -> None:
    image, _ = disc(300, 400)
    found = sweep(image, kernels(3, 7, 4), line())
    sheet = sheet_of(found)
    height, width = sheet.shape[:2]
    assert width <= len(COLUMNS) * (CELL_SIDE + 10) + 10
    assert 3 * 300 < height < 3 * (CELL_SIDE + 60) + 100
    magenta = (sheet == (255, 0, 255)).all(axis=2)
    assert magenta[:, 4 * (width // 6) : 5 * (width // 6)].mean() > 0.2
    assert not magenta[:, : width // 2].any()


@pytest.mark.parametrize("shape", [(3, 400), (500, 4), (1, 1), (33, 35)])
def test_odd_shapes_have_sheets(shape: tuple[int, int]) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    image[:, shape[1] // 2 :] = 200
    deep = Image(image.astype(np.uint16) * 257)
    found = sweep(deep, kernels(3, 5), line())
    assert sheet_of(found).shape[2] == 3
    cut_out = compose_settings(found, lambda photo: Composer())
    assert draw_sheet([make_section(found, "name", cut_out)]).shape[2] == 3


def test_pictures_come_below_each_other_on_one_sheet() -> None:
    found = sweep(disc(96, 128)[0], kernels(3), line())
    section = make_section(found, "photo", compose_settings(found, on_magenta))
    one, two = draw_sheet([section]), draw_sheet([section, section], "best for all pictures")
    assert two.shape[0] > 1.8 * one.shape[0]
    assert two.shape[1] == one.shape[1]


def test_odd_names_are_drawn_on_one_line() -> None:
    found = sweep(disc(60, 80)[0], kernels(3), line())
    assert np.array_equal(sheet_of(found, "a\nb \udcff"), sheet_of(found, r"a\nb \xff"))
