import numpy as np

from matte.gpu import guided_filter
from matte.gpu.transfer import CPU, download_plane, upload_plane
from matte.imaging import guided_filter as in_numpy
from tests.textures import clouds

GUIDE = (clouds(50, 70, 4) / np.float32(255)).astype(np.float32)
TARGET = np.random.default_rng(5).random((50, 70), np.float32)
ALL = np.ones((50, 70), np.bool_)


def test_weighted_windows_filter_alike() -> None:
    weight = (np.random.default_rng(6).random((50, 70)) > 0.4).astype(np.float32)
    expected = in_numpy.guided_filter(GUIDE, TARGET, weight, ALL, 4, 1e-4)
    windows = guided_filter.DeviceGuidedWindows(
        upload_plane(GUIDE, CPU), upload_plane(weight, CPU), 4, 1e-4
    )
    found = download_plane(windows.filter(upload_plane(TARGET, CPU)))
    assert np.abs(found - expected).max() <= 1e-4


def test_coefficients_are_alike() -> None:
    expected = in_numpy.local_linear_coefficients(GUIDE, TARGET, ALL, 2, 1e-3)
    found = guided_filter.local_linear_coefficients(
        upload_plane(GUIDE, CPU), upload_plane(TARGET, CPU), 2, 1e-3
    )
    assert np.abs(found[0].permute(1, 2, 0).numpy() - expected).max() <= 1e-2
