from pathlib import Path

import numpy as np
import pytest

from matte.datasets.matlab import VARIABLE, read_annotation
from matte.datasets.samples import UnusableError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pytest.importorskip("scipy.io")
    return tmp_path / "a.mat"


def test_the_label_map_is_read(path: Path) -> None:
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    pytest.importorskip("scipy.io").savemat(path, {VARIABLE: labels})
    assert np.array_equal(read_annotation(path), labels)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("truth", np.ones((3, 4)), "a.mat has no variable 'groundtruth'"),
        (VARIABLE, np.ones((3, 4, 2)), "a.mat holds no label map"),
        (VARIABLE, np.ones((0, 4)), "a.mat holds no label map"),
    ],
)
def test_other_contents_are_unusable(path: Path, name: str, values: np.ndarray, said: str) -> None:
    pytest.importorskip("scipy.io").savemat(path, {name: values})
    with pytest.raises(UnusableError, match=said):
        read_annotation(path)


def test_a_damaged_matlab_file_is_unusable(path: Path) -> None:
    path.write_bytes(b"MATLAB 5.0 MAT-file, and then nothing of the kind" * 9)
    with pytest.raises(UnusableError, match=r"can't decode a\.mat"):
        read_annotation(path)
