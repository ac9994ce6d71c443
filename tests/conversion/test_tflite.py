from pathlib import Path

import numpy as np
import pytest

from matte.conversion.tflite import read_convolutions
from matte.errors import WeightsError
from tests.conversion.tflite_file import BIAS_SCALE, SCALE, ZERO, Layer, write_tflite


def test_quantised_convolutions_come_back_as_real_values(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    layers = [
        Layer(random.integers(0, 255, (4, 3, 3, 3), np.uint8), np.arange(4, dtype=np.int32)),
        Layer(random.integers(0, 255, (4, 1, 3, 3), np.uint8), np.arange(4, dtype=np.int32), True),
    ]
    write_tflite(tmp_path / "network.tflite", layers)
    found = read_convolutions(tmp_path / "network.tflite")
    assert len(found) == 2
    for convolution, layer in zip(found, layers, strict=True):
        expected = (layer.weight.astype(np.float32) - ZERO) * SCALE
        assert np.array_equal(convolution.weight, expected)
        assert np.array_equal(convolution.bias, layer.bias * np.float32(BIAS_SCALE))


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tflite").write_bytes(b"no network at all, for sure")
    with pytest.raises(WeightsError, match="is not a TensorFlow Lite network"):
        read_convolutions(tmp_path / "text.tflite")
    with pytest.raises(WeightsError, match="can't read"):
        read_convolutions(tmp_path / "missing.tflite")
