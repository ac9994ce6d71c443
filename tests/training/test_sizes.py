import numpy as np

from matte.training.sizes import MULTIPLE, draw_batch_size


def test_sizes_take_turns_for_equal_parts_of_the_run() -> None:
    random = np.random.default_rng(0)
    drawn = [draw_batch_size((64, 96), part, 1, random) for part in (0, 0.49, 0.5, 1)]
    assert drawn == [(64, 64), (64, 64), (96, 96), (96, 96)]


def test_any_ratio_keeps_the_area_and_whole_cells() -> None:
    random = np.random.default_rng(0)
    drawn = [draw_batch_size((320,), 0, 2, random) for _ in range(50)]
    assert all(side % MULTIPLE == 0 for sides in drawn for side in sides)
    assert all(0.85 < height * width / 320**2 < 1.15 for height, width in drawn)
    assert min(h / w for h, w in drawn) < 0.8
    assert max(h / w for h, w in drawn) > 1.25


def test_the_smallest_size_is_one_cell() -> None:
    assert draw_batch_size((8,), 0, 4, np.random.default_rng(0)) == (MULTIPLE, MULTIPLE)
