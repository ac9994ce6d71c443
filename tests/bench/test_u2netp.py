from pathlib import Path

import numpy as np
import torch

from matte.bench.u2netp import INPUT_SIDE, random_network, write_checkpoint, write_onnx
from matte.media.pictures import read_image
from matte.runtime.opener import open_onnx_file
from tests.conftest import SAMPLE

PUBLISHED = 1_131_181  # parameters of the authors' own


def test_it_is_the_published_network() -> None:
    network = random_network()
    assert sum(p.numel() for p in network.parameters()) == PUBLISHED
    keys = set(network.state_dict())
    assert {"stage1.rebnconv6d.conv_s1.weight", "stage5d.rebnconv1d.bn_s1.bias"} <= keys
    assert {"side6.weight", "outconv.bias"} <= keys


def test_written_it_gives_what_torch_gives_a_mask_with_a_narrow_edge(tmp_path: Path) -> None:
    write_onnx(tmp_path / "u2netp.onnx")
    session = open_onnx_file(tmp_path / "u2netp.onnx", threads=1)
    assert session.inputs == {"picture": (1, 3, INPUT_SIDE, INPUT_SIDE)}
    sample = (
        read_image(SAMPLE)[:INPUT_SIDE, :INPUT_SIDE].astype(np.float32).transpose(2, 0, 1)[None]
    )
    picture = (sample / 255 - 0.45) / 0.23
    (mask,) = session.run({"picture": picture}).values()
    expected = random_network()(torch.from_numpy(picture)).numpy()
    assert mask.shape == (1, 1, INPUT_SIDE, INPUT_SIDE)
    assert np.abs(mask - expected).max() < 5e-3  # logits are steep
    assert 0.05 < (mask > 0.5).mean() < 0.95
    assert ((mask > 0.04) & (mask < 0.94)).mean() < 0.15


def test_the_checkpoint_is_always_the_same(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.pth")
    state = torch.load(tmp_path / "a.pth", weights_only=True)
    again = random_network().state_dict()
    assert state.keys() == again.keys()
    assert all(torch.equal(state[name], again[name]) for name in state)
