"""What every runtime offers, and how what a network gives is trusted."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matte.errors import WeightsError
from matte.limits import is_trained_size
from matte.runtime.ways import Way


class Session(Protocol):
    """A network that is ready to run; all its inputs are float32."""

    way: Way
    inputs: dict[str, tuple[int | None, ...]]  # name: shape, None where it is free

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name; safe to call from several threads."""
        ...

    def metadata(self) -> dict[str, str]:
        """What whoever made the file wrote into it."""
        ...


def told_size(session: Session) -> int:
    """The size that the network's file says it was trained at; 0 if it says nothing."""
    return size_told_in(session.metadata())


def size_told_in(metadata: Mapping[str, str]) -> int:
    """The same of what stands in such a file."""
    told = metadata.get("matte.size")
    if told is None:
        return 0
    if not (told.isdecimal() and is_trained_size(int(told))):
        raise WeightsError(f"the network's matte.size is {told!r}", "export it again")
    return int(told)


def picture_input(session: Session, kind: str) -> tuple[str, tuple[int, int] | None]:
    """The one input of a network that takes RGB as (1, 3, H, W), and its H and W if they are fixed.

    Raises for any other network; `kind` is what was asked for.
    """
    for name, shape in session.inputs.items():
        if len(session.inputs) > 1 or len(shape) != 4 or shape[1] not in (3, None):
            break
        height, width = shape[2:]
        if height is None and width is None:
            return name, None
        if height is not None and width is not None:
            return name, (height, width)
    raise WeightsError(
        f"the network takes {session.inputs}", f"give a {kind} with one RGB input, (1, 3, H, W)"
    )


def run_map(session: Session, name: str, picture: NDArray[np.float32], kind: str) -> Any:
    """The one (H, W) map of values 0 … 1 that a network gives for a picture (1, 3, H, W)."""
    outputs = list(session.run({name: picture}).values())
    shapes = [values.shape for values in outputs]
    if shapes != [(1, 1, *picture.shape[2:])]:
        raise WeightsError(
            f"the network gives outputs of shape {shapes} for {picture.shape}",
            f"give a {kind} with one output, (1, 1, H, W)",
        )
    values = outputs[0][0, 0]
    # The comparison is phrased so that NaN fails it.
    if not (values.min() >= -1e-3 and values.max() <= 1 + 1e-3):
        raise WeightsError(
            f"the network gives values from {values.min():.3g} to {values.max():.3g}",
            f"give a {kind} whose last layer is a sigmoid",
        )
    return np.clip(values, 0, 1)
