"""Layers whose colours have to be estimated, which is slow: done once, when first needed."""

import mmap
from collections.abc import Sequence

import numpy as np

from matte.arrays import Uint8Array
from matte.datasets.samples import Sample
from matte.training.synthesis.layers import Layer, estimated_layer


class ColourEstimate:
    """The estimated colours of the subject of a picture (H, W, 3) with alpha (H, W), both uint8.

    `colours` (H, W, 3) and `done` (1,) are the memory that holds the estimate.
    """

    def __init__(
        self, picture: Uint8Array, alpha: Uint8Array, colours: Uint8Array, done: Uint8Array
    ) -> None:
        self._picture, self._alpha = picture, alpha
        self._colours, self._done = colours, done

    def layer(self) -> Layer:
        """Return the subject as a layer, estimated at the first call; see `estimated_layer`."""
        if not self._done[0]:
            # Two workers may do so at a time: what they write is alike.
            self._colours[:] = estimated_layer(self._picture, self._alpha).colours
            self._done[0] = 1
        return Layer(self._colours, self._alpha)


def shared_estimates(samples: Sequence[Sample]) -> list[ColourEstimate]:
    """Return an estimate for each sample, in memory that all processes forked from this one share.

    Else each worker of a run would estimate and hold the colours of all pictures anew.
    """
    sizes = [sample.picture.size for sample in samples]
    # Memory is taken when it is written to. A length of 0 is refused.
    room = np.frombuffer(mmap.mmap(-1, sum(sizes) + len(sizes) or 1), np.uint8)
    done, start, made = room[: len(samples)], len(samples), []
    for at, (sample, size) in enumerate(zip(samples, sizes, strict=True)):
        colours = room[start : start + size].reshape(sample.picture.shape)
        made.append(ColourEstimate(sample.picture, sample.truth, colours, done[at : at + 1]))
        start += size
    return made
