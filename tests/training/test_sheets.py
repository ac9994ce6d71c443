import numpy as np

from matte.training.sheets import GAP_PIXELS, ROW_HEIGHT_PIXELS, stack_rows


def test_rows_of_different_lengths_are_filled_up_with_grey() -> None:
    colours, grey = np.full((80, 40, 3), (250, 0, 0), np.uint8), np.full((40, 40), 7, np.uint8)
    sheet = stack_rows([[colours], [colours, grey]])
    row, narrow = ROW_HEIGHT_PIXELS + GAP_PIXELS, ROW_HEIGHT_PIXELS // 2 + GAP_PIXELS
    assert sheet.shape == (2 * row, narrow + row, 3)
    assert (sheet[:ROW_HEIGHT_PIXELS, : narrow - GAP_PIXELS] == (250, 0, 0)).all()
    assert (sheet[:row, narrow - GAP_PIXELS :] == 96).all()
    assert (sheet[row + 1, narrow : -1 - GAP_PIXELS] == 7).all()


def test_without_rows_there_is_a_sheet_too() -> None:
    assert stack_rows([]).shape == (1, 1, 3)
