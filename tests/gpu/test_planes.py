"""Planes on a device: what recorded work reads. test_device.py compares the rest with numpy."""

import numpy as np
import torch

from matte.gpu.planes import Held, grown, holding, reflected, scaled


def test_what_recorded_work_reads_lives_as_long_as_it() -> None:
    flags = torch.zeros(1, 1, 30, 30, dtype=torch.bool)
    disc = np.ones((3, 3), np.uint8)

    def work(length: int) -> None:
        scaled(torch.zeros(1, 1, length, length), 7, 7)
        reflected(torch.zeros(1, 1, length, length), (1, 1), (2, 2))
        grown(flags, disc)

    held: Held = {}
    with holding(held):
        work(30)
    first = list(held.values())
    assert len(first) == 4
    for length in range(31, 331):
        work(length)  # the caches forget the first
    assert len(held) == 4, "only what is used within it"
    with holding(held):
        work(30)
    assert [id(each) for each in held.values()] == [id(each) for each in first]
