"""`matte trimap`, as it is typed."""

from pathlib import Path

import cv2
import numpy as np

from matte.media.pictures import read_trimap
from tests.commands import run
from tests.conftest import save


def test_trimap_is_the_recipes(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    result = run("trimap", files[1], "--k", "5", "--iterations", "2", "--shape", "rect")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'mask-trimap.png'}\n"
    mask = cv2.imread(str(files[1]), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    kernel = np.ones((5, 5), np.uint8)
    expected = np.full(mask.shape, 128, np.uint8)
    expected[cv2.erode(mask, kernel, iterations=2) == 255] = 255
    expected[cv2.dilate(mask, kernel, iterations=2) == 0] = 0
    assert np.array_equal(read_trimap(tmp_path / "mask-trimap.png"), expected)


def test_a_trimap_that_nothing_can_come_of_is_said(tmp_path: Path) -> None:
    mask = save(tmp_path / "mask.png", np.zeros((40, 50), np.uint8))
    result = run("trimap", mask)
    assert result.exit_code == 0
    target = tmp_path / "mask-trimap.png"
    assert result.stderr == f"Warning: {target}: the trimap has no sure subject\n"
    assert (read_trimap(target) == 0).all()


def test_where_a_soft_mask_is_unsure_the_trimap_is_unknown(tmp_path: Path) -> None:
    soft = np.zeros((90, 120), np.float32)
    soft[20:70, 30:90] = 1
    soft[35:60, 90:110] = 0.3  # hair, perhaps
    np.save(tmp_path / "mask.npy", soft)
    result = run("trimap", tmp_path / "mask.npy")
    assert result.exit_code == 0, result.output
    trimap = read_trimap(tmp_path / "mask-trimap.png")
    assert (trimap[40:55, 95:105] == 128).all()
    assert trimap[45, 60] == 255
    assert trimap[5, 5] == 0
