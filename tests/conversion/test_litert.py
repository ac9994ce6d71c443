import numpy as np

from matte.conversion import litert


def test_numbers_of_int8_are_scaled() -> None:
    details = {"dtype": np.int8, "quantization": (0.5, 3)}
    stored = litert._as_stored(np.array([0, 1, 100], np.float32), details)
    assert stored.tolist() == [3, 5, 127]
    assert litert._as_real(stored, details).tolist() == [0, 1, 62]
