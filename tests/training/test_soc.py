import copy
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch

from matte.errors import SettingError
from matte.modnet.checkpoint import load_network, metrics_of
from matte.modnet.network import Branches
from matte.runtime.opener import open_onnx_file
from matte.training.machine import TrainingMachine
from matte.training.matte_scores import branch_maps
from matte.training.modnet_losses import BranchedModnet, semantic_target
from matte.training.modnet_settings import SocRecipe
from matte.training.soc import SocTask, adapt_modnet, branch_disagreement
from tests.training.checkpoints import train_checkpoint
from tests.training.modnet_discs import disc, network, task

CPU = TrainingMachine("cpu")
SETTINGS = SocRecipe()
QUICK = replace(SETTINGS.run, steps=8, validate_every=4, learning_rate=3e-4, average=0.0)
FEW = replace(SETTINGS, run=replace(QUICK, steps=2, validate_every=2))


class Adapted(NamedTuple):
    network: Path
    said: list[str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MODNet that has seen a few discs."""
    out = tmp_path_factory.mktemp("trained")
    few = task(steps=12, validate_every=12)
    return train_checkpoint(few, out, CPU.fabric("32-true"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three, and one that can't be read."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(3):
        cv2.imwrite(str(folder / f"{seed}.png"), disc(seed, 70, 90).picture)
    (folder / "broken.png").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def adapted(trained: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    """What adapting without any truth leaves and says."""
    said: list[str] = []
    out = tmp_path_factory.mktemp("adapted")
    best = adapt_modnet(FEW, trained, pictures, out, machine=CPU, progress=said.append)
    return Adapted(best, said)


def test_disagreement_by_hand() -> None:
    matte = torch.zeros(1, 1, 64, 64)
    matte[..., 32:] = 1
    semantic = semantic_target(matte)[0]
    same = branch_disagreement(Branches(semantic, matte, matte), Branches(semantic, matte, matte))
    assert [float(value) for value in same.values()] == [0, 0, 0]
    wrong = matte.clone()
    wrong[..., :8] = 0.7  # far from the soft edge: nothing is said about it
    far = branch_disagreement(Branches(semantic, wrong, matte), Branches(semantic, matte, matte))
    assert float(far["detail"]) == float(far["keep"]) == 0
    apart = branch_disagreement(
        Branches(semantic + 0.1, 1 - matte, matte), Branches(semantic, matte, matte)
    )
    assert float(apart["semantic"]) == pytest.approx(0.01)
    assert float(apart["detail"]) == float(apart["keep"]) == 1


def test_branches_come_nearer_and_statistics_stay(trained: Path, tmp_path: Path) -> None:
    start = load_network(trained)
    before = copy.deepcopy(start.state_dict())
    soc = SocTask(
        replace(SETTINGS, run=QUICK), start, tuple(disc(seed, 70, 90) for seed in range(3))
    )
    first = soc.validate(soc.network)
    train_checkpoint(soc, tmp_path, CPU.fabric("32-true"))
    after = load_network(tmp_path / "last.safetensors").state_dict()
    statistics = [key for key in before if "running" in key or "num_batches" in key]
    assert statistics
    assert all(torch.equal(before[key], after[key]) for key in statistics)
    assert not torch.equal(
        before["f_branch.conv_f.0.layers.0.weight"], after["f_branch.conv_f.0.layers.0.weight"]
    )
    assert all(torch.equal(value, before[key]) for key, value in soc.frozen.state_dict().items())
    assert metrics_of(tmp_path / "last.safetensors")["score"] > first["score"]


def test_without_truth_that_is_said(adapted: Adapted) -> None:
    assert any("nothing was validated" in line for line in adapted.said)
    assert any("broken.png" in line and "skipped" in line for line in adapted.said)
    session = open_onnx_file(adapted.network.with_suffix(".onnx"), threads=1)
    assert session.metadata()["matte.kind"] == "modnet"


def test_what_matte_exported_is_adapted_too(
    adapted: Adapted, pictures: Path, tmp_path: Path
) -> None:
    exported = adapted.network.with_suffix(".onnx")
    best = adapt_modnet(FEW, exported, pictures, tmp_path / "again", machine=CPU)
    assert open_onnx_file(best.with_suffix(".onnx"), threads=1).metadata()["matte.kind"] == "modnet"


@pytest.mark.parametrize("helps", [False, True])
def test_with_truth_it_is_kept_only_if_it_helps(
    helps: bool,
    trained: Path,
    adapted: Adapted,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exported: list[dict[str, torch.Tensor]] = []

    def export(_: SocTask, checkpoint: Path) -> str:
        exported.append(load_network(checkpoint).state_dict())
        return "not exported: the tests above look at the file, which takes longest"

    monkeypatch.setattr(SocTask, "export", export)
    # The truth is what one of the two says: the same adaptation again comes to it, or leaves it.
    right, wrong = (adapted.network, trained) if helps else (trained, adapted.network)
    knows = BranchedModnet(load_network(right))
    for folder in ("images", "alphas"):
        (tmp_path / "judge" / folder).mkdir(parents=True)
    for seed in range(3):
        picture = disc(100 + seed).picture
        alpha = np.rint(branch_maps(knows, picture, 64)[2] * 255).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"judge/images/{seed}.png"), picture[:, :, ::-1])
        cv2.imwrite(str(tmp_path / f"judge/alphas/{seed}.png"), alpha)
    said: list[str] = []
    judge = tmp_path / "judge"
    best = adapt_modnet(
        FEW,
        trained,
        pictures,
        tmp_path / "out",
        validation=judge,
        machine=CPU,
        progress=said.append,
    )
    assert any("kept as it was" in line for line in said) != helps
    assert any(" before, " in line for line in said) == helps
    found, true, other = (load_network(n).state_dict() for n in (best, right, wrong))
    assert all(torch.equal(value, true[key]) for key, value in found.items())
    assert all(torch.equal(value, true[key]) for key, value in exported[-1].items())
    assert not all(torch.equal(value, other[key]) for key, value in found.items())
    assert metrics_of(best)["mad judge"] < 0.003


def test_what_can_not_be_is_named(trained: Path, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "empty/images").mkdir(parents=True)
    (tmp_path / "empty/alphas").mkdir()
    with pytest.raises(SettingError, match="nothing to validate"):
        adapt_modnet(SETTINGS, trained, pictures, tmp_path / "out", validation=tmp_path / "empty")
    (tmp_path / "none").mkdir()
    with pytest.raises(SettingError, match="none"):
        adapt_modnet(SETTINGS, trained, tmp_path / "none", tmp_path / "out")


def test_every_picture_is_taken_whole_at_the_reference_size() -> None:
    item = disc(1, 100, 150)
    batch = SocTask(SETTINGS, network(), (item,)).batch(1, 0)
    assert batch["picture"].shape == (1, 64, 96, 3)
    again = SocTask(SETTINGS, network(), (item,)).batch(1, 0)
    assert np.array_equal(batch["picture"], again["picture"])
