"""LikeUnet's published weights, against what Keras computed with them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from matte.conversion.keras_weights import read_keras_weights
from matte.conversion.likeunet import (
    fused_likeunet,
    likeunet_architecture,
    likeunet_from_keras,
)
from matte.errors import WeightsError
from tests.tolerances import KERAS_PARITY

GOLDEN = Path(__file__).parents[1] / "golden"
PUBLISHED = GOLDEN / "likeunet_dark_light_pre.h5"


def test_keras_computed_the_same() -> None:
    """On three pictures of different sizes; benchmarks/keras_golden.py made the file."""
    read = likeunet_from_keras(read_keras_weights(PUBLISHED))
    assert read[0] == "likeunet-dark-light-branches"
    architecture, network = fused_likeunet(*read)
    assert architecture == "likeunet-dark-light"
    network.eval()
    with np.load(GOLDEN / "likeunet_keras.npz") as golden:
        for number in range(3):
            grey = torch.from_numpy(golden[f"picture{number}"])[None, None] / 255
            with torch.inference_mode():
                person = network(grey.expand(-1, 3, -1, -1)).sigmoid()[0, 0].numpy()
            expected = golden[f"person{number}"] / 65535
            assert np.abs(person - expected).max() < KERAS_PARITY


def test_the_first_kernels_say_which_it_is() -> None:
    def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
        return [np.zeros(shape, np.float32) for shape in shapes]

    rest = ((16,), (3, 3, 16, 32), (32,))
    assert likeunet_architecture(arrays((3, 3, 3, 16), *rest)) == "likeunet-night"
    assert likeunet_architecture(arrays((3, 3, 1, 16), *rest)) == "likeunet-dark"
    assert likeunet_architecture(arrays((3, 3, 1, 8), *rest)) == "likeunet-dark-light"
    branches = arrays((3, 3, 1, 8), *rest, (1, 3, 8, 16))
    assert likeunet_architecture(branches) == "likeunet-dark-light-branches"
    for others in (arrays(), arrays((7, 7, 3, 64), *rest), arrays((3, 3, 4, 16), *rest)):
        assert likeunet_architecture(others) == ""


@pytest.mark.parametrize("damage", ["short", "turned"])
def test_what_does_not_fit_is_refused(damage: str) -> None:
    arrays = read_keras_weights(PUBLISHED)
    if damage == "short":
        arrays.pop()
    else:
        arrays[2] = arrays[2].transpose(0, 1, 3, 2)
    with pytest.raises(WeightsError, match="arrays"):
        likeunet_from_keras(arrays)
    with pytest.raises(WeightsError, match="no LikeUnet"):
        likeunet_from_keras(arrays[3:])
