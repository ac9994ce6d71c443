import numpy as np
import torch

from matte.arrays import Image, Trimap
from matte.gpu import pictures
from matte.gpu.transfer import CPU, download_frames, download_plane
from matte.imaging.regions import bounding_box
from matte.refiner import parts
from tests.textures import clouds

IMAGE = Image(clouds(40, 60, 3))
TRIMAP = Trimap(np.zeros((40, 60), np.uint8))
TRIMAP[10:30, 20:50], TRIMAP[15:25, 30:40] = 128, 255


def test_arrays_are_downloaded_when_they_are_asked_for() -> None:
    picture = pictures.upload_picture(IMAGE, CPU)
    assert picture.array is IMAGE
    assert np.array_equal(pictures.DevicePicture(picture.planes).array, IMAGE)
    trimap = pictures.upload_trimap(TRIMAP, CPU)
    assert np.array_equal(pictures.DeviceTrimap(trimap.levels).array, TRIMAP)
    assert trimap.shape == (40, 60)
    assert torch.equal(trimap.known_alpha() == 1, trimap.levels == 255)


def test_copies_are_as_small_and_as_unknown() -> None:
    planes = pictures.upload_picture(IMAGE, CPU).planes
    levels = pictures.upload_trimap(TRIMAP, CPU).levels
    for size in ((20, 30), (13, 20)):
        image, trimap = parts.shrink(IMAGE, TRIMAP, *size)
        small, known = pictures.shrink(planes, levels, *size)
        assert np.abs(download_frames(small)[0].astype(int) - image).max() <= 1  # of rounding
        assert np.array_equal(download_plane(known), trimap)


def test_boxes_around_regions_are_alike() -> None:
    unknown = pictures.upload_trimap(TRIMAP, CPU).unknown
    for margin in (0, 5, 15):
        assert pictures.region_box(unknown, margin) == bounding_box(TRIMAP == 128, margin)
    assert pictures.region_box(torch.zeros_like(unknown)) is None
