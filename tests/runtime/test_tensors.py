from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from matte.errors import WeightsError
from matte.runtime.tensors import load_tensors, network_kind, save_tensors


def test_tensors_and_facts_come_back(tmp_path: Path) -> None:
    file = tmp_path / "network.safetensors"
    save_tensors(file, {"weight": torch.arange(6.0).reshape(2, 3).T}, "refiner", {"size": 320})
    assert network_kind(file) == "refiner"
    tensors, facts = load_tensors(file, "refiner")
    assert facts == {"size": 320}
    assert torch.equal(tensors["weight"], torch.arange(6.0).reshape(2, 3).T)
    with pytest.raises(WeightsError, match="holds a refiner: give a segmenter"):
        load_tensors(file, "segmenter")


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(1)}, file)
    with pytest.raises(WeightsError, match="is not one of matte's: import it first"):
        network_kind(file)
    file.write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match="can't read"):
        network_kind(file)
