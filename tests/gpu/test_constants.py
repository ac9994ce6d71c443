import numpy as np
import torch

from matte.gpu.constants import KeptConstants, keep_constants
from matte.gpu.planes import dilate, pad_by_reflection, resize


def test_what_a_recorded_graph_reads_lives_as_long_as_it() -> None:
    flags = torch.zeros(1, 1, 30, 30, dtype=torch.bool)
    disc = np.ones((3, 3), np.uint8)

    def work(length: int) -> None:
        resize(torch.zeros(1, 1, length, length), 7, 7)
        pad_by_reflection(torch.zeros(1, 1, length, length), (1, 1), (2, 2))
        dilate(flags, disc)

    kept: KeptConstants = {}
    with keep_constants(kept):
        work(30)
    first = list(kept.values())
    assert len(first) == 4
    for length in range(31, 331):
        work(length)  # the caches forget the first
    assert len(kept) == 4, "only what is used within it"
    with keep_constants(kept):
        work(30)
    assert [id(each) for each in kept.values()] == [id(each) for each in first]
