"""A GCA network, fed as its authors do."""

import math
import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.errors import MatteWarning, WeightsError
from matte.imaging.scaling import scaled
from matte.refiner.protocols import network_inputs, padded
from matte.runtime.session import Session

INPUTS = {"image", "trimap"}
RATIO = "unknown_ratio"  # what networks with attention take besides
# 1920 × 1200 and a little more: time grows with the pixels, the attention's with their square.
PIXELS = 2_400_000


class Gca:
    """Alpha in the band from a network that sees the picture and the trimap."""

    def __init__(self, session: Session, protocol: str = "demo", pixels: int = 0) -> None:
        """`protocol` is one of `matte.refiner.protocols.PROTOCOLS`. `pixels`: larger pictures are
        refined at about that size, and that is said; 0: no picture is.
        """
        if set(session.inputs) - {RATIO} != INPUTS:
            raise WeightsError(
                f"the network takes {sorted(session.inputs)}", "give a refiner of matte"
            )
        self._session = session
        self._protocol = protocol
        self._pixels = pixels or math.inf

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        (alpha,) = self.refine_all(image, [trimap])
        return alpha

    def refine_all(self, image: Image, trimaps: Sequence[Trimap]) -> list[Alpha]:
        """Alpha for each trimap of one picture, as refine() gives it.

        As many as have together the pixels of one large picture go through the network at once.
        """
        doubtful = [trimap for trimap in trimaps if (trimap == UNKNOWN).any()]
        large = any(trimap.size > self._pixels for trimap in doubtful)
        found = iter((self._refine_smaller if large else self._refine_whole)(image, doubtful))
        alphas = []
        for trimap in trimaps:
            known = (trimap == SUBJECT).astype(np.float32)
            unknown = trimap == UNKNOWN
            alphas.append(
                Alpha(np.where(unknown, np.clip(next(found), 0, 1), known))
                if unknown.any()
                else Alpha(known)
            )
        return alphas

    def _refine_smaller(self, image: Image, trimaps: Sequence[Trimap]) -> Iterator[Alpha]:
        height, width = trimaps[0].shape
        scale = math.sqrt(self._pixels / trimaps[0].size)
        small = max(1, int(height * scale)), max(1, int(width * scale))
        warnings.warn(
            f"alpha of {width}×{height} is refined at {small[1]}×{small[0]}",
            MatteWarning,
            stacklevel=4,
        )
        coarse = []
        for trimap in trimaps:
            # Where any pixel of the picture is unknown, the small one is.
            level = scaled(trimap, *small)
            unknown = (level > BACKGROUND) & (level < SUBJECT)
            coarse.append(Trimap(np.where(unknown, UNKNOWN, level).astype(np.uint8)))
        for alpha in self._refine_whole(Image(scaled(image, *small)), coarse):
            yield Alpha(scaled(alpha, height, width))

    def _refine_whole(self, image: Image, trimaps: Sequence[Trimap]) -> Iterator[Alpha]:
        free = self._session.inputs["image"][0] is None
        together = max(1, PIXELS // image[:, :, 0].size) if free else 1
        for start in range(0, len(trimaps), together):
            yield from self._refine_batch(image, trimaps[start : start + together])

    def _refine_batch(self, image: Image, trimaps: Sequence[Trimap]) -> Iterator[Alpha]:
        whole = [padded(image, trimap, self._protocol) for trimap in trimaps]
        inputs = [network_inputs(each.image, each.trimap) for each in whole]
        given = {
            name: np.concatenate([each[name] for each in inputs]) for name in self._session.inputs
        }
        (values,) = self._session.run(given).values()
        shape = whole[0].trimap.shape
        if values.shape != (len(whole), 1, *shape) or not np.isfinite(values).all():
            raise WeightsError(f"the network gives no alpha of {shape}", "give a refiner of matte")
        for each, alpha in zip(whole, values, strict=True):
            yield each.crop(alpha[0])
