"""A GCA network, fed as its authors do."""

import numpy as np

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.errors import WeightsError
from matte.refiner.protocols import network_inputs, padded
from matte.runtime.session import Session

INPUTS = {"image", "trimap"}
RATIO = "unknown_ratio"  # what networks with attention take besides


class Gca:
    """Alpha in the band from a network that sees the picture and the trimap."""

    def __init__(self, session: Session, protocol: str = "demo") -> None:
        """`protocol` is one of `matte.refiner.protocols.PROTOCOLS`."""
        if set(session.inputs) - {RATIO} != INPUTS:
            raise WeightsError(
                f"the network takes {sorted(session.inputs)}", "give a refiner of matte"
            )
        self._session = session
        self._protocol = protocol

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        known = (trimap == SUBJECT).astype(np.float32)
        unknown = trimap == UNKNOWN
        if not unknown.any():
            return Alpha(known)
        whole = padded(image, trimap, self._protocol)
        inputs = network_inputs(whole.image, whole.trimap)
        given = {name: inputs[name] for name in self._session.inputs}
        (values,) = self._session.run(given).values()
        if values.shape != (1, 1, *whole.trimap.shape) or not np.isfinite(values).all():
            raise WeightsError(
                f"the network gives no alpha of {whole.trimap.shape}", "give a refiner of matte"
            )
        return Alpha(np.where(unknown, np.clip(whole.crop(values[0, 0]), 0, 1), known))
