"""What other people's networks give, read as a map of 0 … 1."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.errors import WeightsError
from matte.weights.peer_settings import PeerSettings

MIN_RANGE = 1e-6  # of a map that is stretched to 0 … 1


def read_map(outputs: Sequence[NDArray[Any]], rule: PeerSettings, name: str) -> FloatArray:
    """Return the map, (H, W), that the rule picks of a network's outputs, as values of 0 … 1.

    Raises WeightsError, which calls the network `name`, where there is no such map.
    """
    if not rule.output < len(outputs):
        raise WeightsError(f"{name} has {len(outputs)} outputs", "count 'output' from 0")
    values = outputs[rule.output]
    if values.ndim == 4 and rule.layout == "nhwc":
        values = values.transpose(0, 3, 1, 2)
    if values.ndim < 2 or not values.size:
        raise WeightsError(f"{name} gives {values.shape}", "name its map as 'output'")
    channels = values.reshape(-1, *values.shape[-2:])
    if not rule.channel < len(channels):
        raise WeightsError(f"{name} gives {len(channels)} channels", "count 'channel' from 0")
    found = _activate(channels, rule)
    least, most = float(found.min()), float(found.max())
    if rule.stretch_output and math.isfinite(most - least):
        found = (found - np.float32(least)) / np.float32(max(most - least, MIN_RANGE))
        least, most = float(found.min()), float(found.max())
    # The comparison is phrased so that NaN fails it.
    if not (least >= -1e-3 and most <= 1 + 1e-3):
        raise WeightsError(
            f"{name} gives {least:.3g} … {most:.3g}",
            "set its 'activation', so that 0 … 1 comes out",
        )
    return np.ascontiguousarray(np.clip(found, 0, 1), np.float32)


def _activate(channels: NDArray[Any], rule: PeerSettings) -> NDArray[Any]:
    """Return the rule's channel, (H, W), after the activation that the file leaves out."""
    if rule.activation == "softmax":
        powers = np.exp(channels - channels.max(axis=0))
        channels = powers / powers.sum(axis=0)
    chosen: NDArray[Any] = channels[rule.channel]
    if rule.activation == "sigmoid":
        return np.asarray(0.5 + 0.5 * np.tanh(chosen / 2))  # does not overflow
    return chosen
