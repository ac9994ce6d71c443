from pathlib import Path

import numpy as np
import pytest
import torch

from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.conversion.segmenter_export import export_segmenter
from matte.errors import SettingError, WeightsError
from matte.refiner.checkpoint import save_network
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.runtime.opener import open_onnx_file
from matte.segmentation.network import (
    load_checkpoint,
)
from matte.training.join import join_segmenters
from tests.commands import run
from tests.trained_networks import saved_segmenter

LIGHT, OTHER = "deeplab-unet-light", "u2netp"
PICTURE = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
SAME = 1e-3  # weights are stored as float16


@torch.inference_mode()
def logits(path: Path) -> torch.Tensor:
    found: torch.Tensor = load_checkpoint(path)[0](PICTURE)
    return found


def test_two_networks_of_different_forms_become_one(tmp_path: Path) -> None:
    first = saved_segmenter(tmp_path / "a.safetensors", LIGHT)
    second = saved_segmenter(tmp_path / "b.safetensors", OTHER, size=320)
    out = tmp_path / "both.safetensors"
    result = run("train", "join", first, second, "--share", "0.75", "--share", "0.25", "-o", out)
    assert result.exit_code == 0, result.output
    expected = 0.75 * logits(first) + 0.25 * logits(second)
    torch.testing.assert_close(logits(out), expected, atol=1e-4, rtol=0)
    info = load_checkpoint(out)[1]
    assert (info.architecture, info.size) == (f"{LIGHT}+{OTHER}", 96)

    session = open_onnx_file(tmp_path / "both.onnx")
    (found,) = session.run({"image": PICTURE.numpy()}).values()
    assert np.abs(found - torch.sigmoid(expected).numpy()).max() < SAME
    back = torch_from_onnx(tmp_path / "both.onnx")
    assert back.notes["architecture"] == f"{LIGHT}+{OTHER}"
    with torch.inference_mode():
        assert np.abs(back.exported(PICTURE).numpy() - found).max() < SAME


def test_a_network_is_joined_from_its_onnx_file(tmp_path: Path) -> None:
    first = saved_segmenter(tmp_path / "a.safetensors", LIGHT)
    second = saved_segmenter(tmp_path / "b.safetensors", LIGHT, seed=2)
    export_segmenter(second, tmp_path / "b.onnx", half=False)
    join_segmenters([first, tmp_path / "b.onnx"], tmp_path / "both.safetensors")
    expected = (logits(first) + logits(second)) / 2
    torch.testing.assert_close(logits(tmp_path / "both.safetensors"), expected, atol=0.01, rtol=0)


def test_what_cannot_be_joined_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    first = saved_segmenter(tmp_path / "a.safetensors", LIGHT)
    with pytest.raises(SettingError, match="one network alone"):
        join_segmenters([first], out)
    band = saved_segmenter(tmp_path / "band.safetensors", "deeplab-unet-band")
    with pytest.raises(WeightsError, match="has a learnt band"):
        join_segmenters([first, band], out)
    refiner = tmp_path / "refiner.safetensors"
    save_network(SlimNetwork(SlimDesign(attention=False)), refiner)
    with pytest.raises(WeightsError, match="holds a refiner"):
        join_segmenters([first, refiner], out)
    for shares in ((0.5,), (0.5, 0.6)):
        with pytest.raises(SettingError, match="of 2 networks"):
            join_segmenters([first, first], out, shares)
    assert not out.exists()
    join_segmenters([first, first], out)
    with pytest.raises(WeightsError, match="was joined before"):
        join_segmenters([first, out], tmp_path / "three.safetensors")


def test_joining_replaces_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"mine")
    first = saved_segmenter(tmp_path / "a.safetensors", LIGHT)
    result = run("train", "join", first, first, "-o", out)
    assert result.exit_code == 1
    assert "exists" in result.stderr
    assert out.read_bytes() == b"mine"
