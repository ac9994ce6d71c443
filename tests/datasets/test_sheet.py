import numpy as np

from matte.datasets.samples import Sample
from matte.datasets.sheet import draw_sheet
from tests.datasets.sets import half, photo


def test_the_sheet_shows_the_subject_on_magenta() -> None:
    sample = Sample("ein schöner Name" * 9, "mask", np.full((100, 200, 3), 90, np.uint8), half())
    small = Sample("a", "alpha", photo(), half())
    back = Sample("b", "background", photo(), np.zeros((12, 16), np.uint8))
    one = draw_sheet([small])
    magenta = (one == (255, 0, 255)).all(axis=2).sum()
    assert magenta == 12 * 8
    assert draw_sheet([small, back]).shape == one.shape
    assert draw_sheet([small] * 4).shape[0] > one.shape[0]
    assert draw_sheet([Sample(sample.name, "background", sample.picture, sample.truth)]).any()


def test_odd_names_are_drawn_on_one_line() -> None:
    odd = Sample("a\nError: \udcff", "alpha", photo(), half())
    plain = Sample(r"a\nError: \xff", "alpha", photo(), half())
    assert np.array_equal(draw_sheet([odd]), draw_sheet([plain]))
