"""What is sampled and warped on a device is what OpenCV samples and warps."""

import numpy as np
import torch

from matte.arrays import Image
from matte.gpu import warping
from matte.gpu.transfer import CPU, download_plane, upload_frames, upload_plane
from matte.imaging import flow as by_opencv
from matte.imaging.flow import Flow
from matte.imaging.sampling import sample_at
from tests.textures import clouds
from tests.tolerances import DEVICE_SAMPLED

HEIGHT, WIDTH = 60, 90
RANDOM = np.random.default_rng(3)
VALUES = RANDOM.random((HEIGHT, WIDTH), np.float32)
FLOW = RANDOM.uniform(-4, 4, (30, 45, 4)).astype(np.float32)


def test_planes_are_warped_alike() -> None:
    expected = by_opencv.warp(VALUES, Flow(FLOW[:, :, :2]))
    found = warping.warp(upload_plane(VALUES, CPU), upload_plane(FLOW[:, :, :2], CPU))
    assert np.abs(download_plane(found) - expected).max() <= DEVICE_SAMPLED


def test_places_in_the_frame_before_are_alike() -> None:
    at = np.arange(HEIGHT * WIDTH)
    positions, values = by_opencv.source_positions(FLOW, at, HEIGHT, WIDTH)
    x, y, beside = warping.source_places(upload_plane(FLOW, CPU), HEIGHT, WIDTH)
    assert np.abs(torch.stack([x, y], dim=2).numpy().reshape(-1, 2) - positions).max() <= 1e-3
    assert np.abs(beside.numpy().reshape(2, -1).T - values).max() <= 1e-4
    sharp = sample_at(VALUES, positions, sharp=True).reshape(HEIGHT, WIDTH)
    found = warping.sample(upload_plane(VALUES, CPU), x, y, sharp=True)
    assert np.abs(download_plane(found) - sharp).max() <= DEVICE_SAMPLED


def test_colours_agree_alike() -> None:
    pictures = [by_opencv.local_mean_colours(_image(seed)) for seed in (1, 2)]
    means = [warping.local_mean_colours(upload_frames([_image(seed)], CPU)) for seed in (1, 2)]
    for mean, picture in zip(means, pictures, strict=True):
        assert np.array_equal(mean[0].permute(1, 2, 0).numpy(), picture)
    expected = by_opencv.colour_agreement(*pictures)
    assert 0 < expected.mean() < 1
    assert np.abs(download_plane(warping.colour_agreement(*means)) - expected).max() <= 1e-6


def _image(seed: int) -> Image:
    return Image(clouds(HEIGHT, WIDTH, seed) // 8)
