"""A GCA network, fed as its authors do."""

import math
import warnings

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
        known = (trimap == SUBJECT).astype(np.float32)
        unknown = trimap == UNKNOWN
        if not unknown.any():
            return Alpha(known)
        if trimap.size > self._pixels:
            alpha = self._refine_smaller(image, trimap)
        else:
            alpha = self._refine_whole(image, trimap)
        return Alpha(np.where(unknown, np.clip(alpha, 0, 1), known))

    def _refine_smaller(self, image: Image, trimap: Trimap) -> Alpha:
        height, width = trimap.shape
        scale = math.sqrt(self._pixels / trimap.size)
        small = max(1, int(height * scale)), max(1, int(width * scale))
        warnings.warn(
            f"alpha of {width}×{height} is refined at {small[1]}×{small[0]}",
            MatteWarning,
            stacklevel=3,
        )
        # Where any pixel of the picture is unknown, the small one is.
        level = scaled(trimap, *small)
        coarse = np.where((level > BACKGROUND) & (level < SUBJECT), UNKNOWN, level)
        alpha = self._refine_whole(Image(scaled(image, *small)), Trimap(coarse.astype(np.uint8)))
        return Alpha(scaled(alpha, height, width))

    def _refine_whole(self, image: Image, trimap: Trimap) -> Alpha:
        whole = padded(image, trimap, self._protocol)
        inputs = network_inputs(whole.image, whole.trimap)
        given = {name: inputs[name] for name in self._session.inputs}
        (values,) = self._session.run(given).values()
        if values.shape != (1, 1, *whole.trimap.shape) or not np.isfinite(values).all():
            raise WeightsError(
                f"the network gives no alpha of {whole.trimap.shape}", "give a refiner of matte"
            )
        return whole.crop(values[0, 0])
