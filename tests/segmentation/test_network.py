from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from matte.errors import SettingError, WeightsError
from matte.segmentation.network import (
    ARCHITECTURES,
    CheckpointInfo,
    build_network,
    load_checkpoint,
    save_checkpoint,
)

INFO = CheckpointInfo("unet", 320, 7, {"iou": 0.9})


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_logits_have_the_pictures_size(architecture: str) -> None:
    network = build_network(architecture).eval()
    with torch.inference_mode():
        for shape in ((32, 32), (64, 96), (32, 320)):
            maps = 2 if architecture.endswith("-band") else 1
            assert network(torch.rand(2, 3, *shape)).shape == (2, maps, *shape)


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(SettingError, match="did you mean 'unet'"):
        build_network("unt")


def test_a_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    network = build_network("unet").eval()
    save_checkpoint(network, INFO, tmp_path / "net.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]
    again, info = load_checkpoint(tmp_path / "net.safetensors")
    assert info == INFO
    image = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(again(image), network(image))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    with pytest.raises(WeightsError, match="can't read"):
        load_checkpoint(path)
    path.write_bytes(b"\x00" * 40)
    with pytest.raises(WeightsError, match="can't read"):
        load_checkpoint(path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="not one of matte's"):
        load_checkpoint(path)
    save_file({"x": torch.zeros(1)}, path, metadata={"matte": '{"kind": "refiner"}'})
    with pytest.raises(WeightsError, match="holds a refiner"):
        load_checkpoint(path)
    save_checkpoint(torch.nn.Linear(1, 1), INFO, path)
    with pytest.raises(WeightsError, match="does not fit its own design"):
        load_checkpoint(path)
