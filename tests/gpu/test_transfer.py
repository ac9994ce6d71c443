import numpy as np
import pytest
import torch

from matte.arrays import Image
from matte.errors import BackendError
from matte.gpu import transfer
from matte.gpu.transfer import CPU


def test_frames_come_back_as_they_went() -> None:
    frames = [Image(np.full((4, 6, 3), (n, 128, 255), np.uint8)) for n in range(3)]
    planes = transfer.upload_frames(frames, CPU)
    assert planes.shape == (3, 3, 4, 6)
    assert planes.dtype == torch.float32
    assert np.array_equal(transfer.download_frames(planes), np.stack(frames))
    single = transfer.single_frames(planes)
    assert torch.equal(transfer.concatenate(single), planes)
    assert transfer.concatenate(single[:1]) is single[0]


def test_planes_keep_their_type() -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    plane = transfer.upload_plane(values, CPU)
    assert np.array_equal(transfer.download_plane(plane), values)
    assert transfer.download_planes(plane).shape == (1, 3, 4)
    assert transfer.upload_plane(np.zeros((3, 4, 2), np.float32), CPU).shape == (1, 2, 3, 4)


def test_errors_of_torch_become_errors_of_matte() -> None:
    with pytest.raises(BackendError), transfer.device_work(CPU):
        torch.zeros(2) @ torch.zeros(3)
