import numpy as np
import pytest

from matte.arrays import UNKNOWN, Image, Trimap
from matte.gpu.guided import DeviceGuided
from matte.gpu.pictures import upload_picture, upload_trimap
from matte.gpu.transfer import CPU, download_plane
from matte.refiner.guided import Guided
from tests.textures import clouds


@pytest.mark.parametrize("depth", [3, 30])
def test_alpha_is_alike(depth: int) -> None:
    """In a deep band the widest windows are on a smaller picture."""
    ys, xs = np.mgrid[:120, :180]
    inside = 40 - np.hypot(ys - 60, xs - 90)
    trimap = np.where(np.abs(inside) < depth, UNKNOWN, np.where(inside > 0, 255, 0))
    image, known = Image(clouds(120, 180, 2)), Trimap(trimap.astype(np.uint8))
    expected = Guided().refine(image, known).alpha
    found = DeviceGuided().refine(upload_picture(image, CPU), upload_trimap(known, CPU))
    assert ((expected > 0) & (expected < 1)).mean() > 0
    assert np.abs(download_plane(found.alpha) - expected).max() <= 1e-3


def test_nothing_unknown_is_kept() -> None:
    known = Trimap(np.zeros((8, 9), np.uint8))
    image = upload_picture(Image(clouds(8, 9)), CPU)
    assert not DeviceGuided().refine(image, upload_trimap(known, CPU)).alpha.any()
