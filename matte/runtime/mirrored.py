"""A network that sees each picture twice, once mirrored: the mean of both is a little better."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.runtime.session import Session


class MirroredSession:
    """A session whose outputs are the means over its pictures and their mirror images."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.execution, self.inputs = session.execution, session.inputs

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network on the inputs, and on them mirrored; return the means of its outputs."""
        plain = self.session.run(inputs)
        mirrored = self.session.run({name: _mirror(values) for name, values in inputs.items()})
        return {
            name: (values + _mirror(mirrored[name])) * np.float32(0.5)
            for name, values in plain.items()
        }

    def metadata(self) -> dict[str, str]:
        """Return the metadata that the file's author wrote into it."""
        return self.session.metadata()


def _mirror(values: NDArray[Any]) -> NDArray[Any]:
    """Return pictures (N, C, H, W) with left and right exchanged; other values as they are."""
    return np.ascontiguousarray(values[..., ::-1]) if values.ndim == 4 else values
