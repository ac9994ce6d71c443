"""The protocol of all runtimes, and the checks on networks' inputs and outputs."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matte.errors import WeightsError
from matte.limits import is_trained_size
from matte.runtime.execution import Execution

MAX_SIZE_DIGITS = 9
BAND_OUTPUT = "mask_and_band"  # the name of an output of two maps


class Session(Protocol):
    """A network that is ready to run; all its inputs are float32.

    `execution` says how it runs, `inputs` gives its inputs' shapes by name, None for free lengths.
    """

    execution: Execution
    inputs: dict[str, tuple[int | None, ...]]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network on inputs by name, and return its outputs by name; thread-safe."""
        ...

    def metadata(self) -> dict[str, str]:
        """Return the metadata that the file's author wrote into it."""
        ...


def trained_size(session: Session) -> int:
    """Return the size in pixels that a network was trained at; 0 if its file does not say."""
    return parse_trained_size(session.metadata())


def parse_trained_size(metadata: Mapping[str, str]) -> int:
    """Return the trained size that an ONNX file's metadata holds; 0 if it holds none."""
    text = metadata.get("matte.size")
    if text is None:
        return 0
    # Python refuses to read numbers of thousands of digits.
    if not (text.isdecimal() and len(text) <= MAX_SIZE_DIGITS and is_trained_size(int(text))):
        raise WeightsError(f"the network's matte.size is {text[:20]!r}", "export it again")
    return int(text)


def picture_input(session: Session, kind: str) -> tuple[str, tuple[int, int] | None]:
    """Return the name of a network's one RGB input, (1, 3, H, W), and its H and W if fixed.

    Raises WeightsError for any other network; `kind` names the expected one in the remedy.
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


def predict_maps(session: Session, name: str, picture: NDArray[np.float32], kind: str) -> Any:
    """Return a network's one output for a picture (1, 3, H, W): maps (C, H, W) of values 0 … 1.

    There is one map, or two where the output is called BAND_OUTPUT. Raises WeightsError for other
    shapes and values; `kind` names the expected network.
    """
    found = session.run({name: picture})
    outputs = list(found.values())
    shapes = [values.shape for values in outputs]
    maps = 2 if BAND_OUTPUT in found else 1
    if shapes != [(1, maps, *picture.shape[2:])]:
        raise WeightsError(
            f"the network gives outputs of shape {shapes} for {picture.shape}",
            f"give a {kind} with one output, (1, 1, H, W)",
        )
    values = outputs[0][0]
    # The comparison is phrased so that NaN fails it.
    if not (values.min() >= -1e-3 and values.max() <= 1 + 1e-3):
        raise WeightsError(
            f"the network gives values from {values.min():.3g} to {values.max():.3g}",
            f"give a {kind} whose last layer is a sigmoid",
        )
    return np.clip(values, 0, 1)
