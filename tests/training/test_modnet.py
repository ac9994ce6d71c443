import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from matte.errors import SettingError, WeightsError
from matte.modnet.backbones import MobileNetV2Backbone
from matte.modnet.checkpoint import load_network, metrics_of, save_network
from matte.modnet.network import Branches, ModnetInfo, build_network
from matte.runtime.opener import open_onnx_file
from matte.segmentation.network import CheckpointInfo, save_checkpoint
from matte.segmentation.network import build_network as build_segmenter
from matte.training.machine import TrainingMachine
from matte.training.matte_scores import matte_metrics, to_modnet_input
from matte.training.modnet import train_modnet
from matte.training.modnet_losses import BranchedModnet, edge_band, modnet_losses, semantic_target
from matte.training.modnet_settings import ModnetLossWeights, ModnetRecipe
from matte.training.settings import DataSet
from matte.training.start import refit_norms, start_modnet
from tests.training.checkpoints import train_checkpoint
from tests.training.modnet_discs import INFO, SETTINGS, disc, network, task

CPU = TrainingMachine("cpu")


def curve(out: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{**row["losses"], **row["validation"]} for row in rows]


def soft(shape: tuple[int, ...] = (2, 1, 64, 64)) -> torch.Tensor:
    """Alpha that rises from 0 to 1 from column 24 to 40."""
    ramp = ((torch.arange(shape[-1]) - 24) / 16).clamp(0, 1)
    return ramp.expand(shape).clone()


def perfect(alpha: torch.Tensor) -> Branches:
    return Branches(semantic_target(alpha)[0], alpha, alpha)


def the_losses(
    found: Branches, alpha: torch.Tensor, valid: torch.Tensor | None = None, exact: bool = True
) -> dict[str, float]:
    valid = torch.ones_like(alpha) if valid is None else valid
    picture = torch.full((len(alpha), 3, *alpha.shape[2:]), 0.5)
    known = torch.full((len(alpha),), exact)
    losses = modnet_losses(found, picture, alpha, valid, known, 4, ModnetLossWeights())
    return {name: float(value) for name, value in losses.items()}


def test_the_truth_costs_nothing() -> None:
    assert the_losses(perfect(soft()), soft()) == {
        "semantic": 0,
        "detail": 0,
        "matte": 0,
        "composition": 0,
    }


def test_losses_by_hand() -> None:
    alpha = soft()
    found = Branches(semantic_target(alpha)[0] + 0.1, alpha + 0.1, alpha + 0.1)
    near = float(edge_band(alpha, 4).mean())
    losses = the_losses(found, alpha)
    assert losses["semantic"] == pytest.approx(10 * 0.01, rel=1e-4)
    assert losses["detail"] == pytest.approx(10 * 0.1 * near, rel=1e-4)
    assert losses["matte"] == pytest.approx(0.1 * (1 + 4 * near), rel=1e-4)
    assert losses["composition"] == pytest.approx(0.5 * losses["matte"], rel=1e-4)


def test_what_is_not_valid_costs_nothing() -> None:
    alpha, valid = soft(), torch.ones(2, 1, 64, 64)
    valid[..., 32:] = 0
    semantic = torch.where(torch.arange(4) < 2, semantic_target(alpha, valid)[0], 7.0)
    wrong_there = torch.where(valid > 0, alpha, 7.0)
    found = Branches(semantic, wrong_there, wrong_there)
    assert sum(the_losses(found, alpha, valid).values()) == 0
    # What the blur takes from beyond the border is not the padding's alpha.
    padded = alpha * valid
    torch.testing.assert_close(semantic_target(padded, valid)[0], semantic_target(alpha, valid)[0])


def test_masks_tell_nothing_about_the_edge() -> None:
    mask = (soft() > 0.5).float()
    near = edge_band(mask, 4)
    found = Branches(semantic_target(mask)[0], 1 - mask, torch.where(near > 0, 1 - mask, mask))
    assert the_losses(found, mask, exact=False) == {
        "semantic": 0,
        "detail": 0,
        "matte": 0,
        "composition": 0,
    }
    told = the_losses(Branches(1 - found.semantic, mask, 1 - mask), mask, exact=False)
    assert told["semantic"] > 1
    assert told["matte"] == pytest.approx(float((1 - near).mean()), rel=1e-4)


def test_the_band_is_as_wide_as_its_reach() -> None:
    mask = (soft((1, 1, 64, 64)) > 0.5).float()
    row = edge_band(mask, 4)[0, 0, 10]
    edge = int(mask[0, 0, 10].argmax())
    assert row.nonzero()[:, 0].tolist() == list(range(edge - 4, edge + 4))
    # Where the picture ends or padding begins is no edge.
    assert edge_band(torch.ones(1, 1, 64, 64), 4).sum() == 0
    valid = torch.ones(1, 1, 64, 64)
    valid[..., 40:] = 0
    assert edge_band(valid, 4, valid).sum() == 0


def test_a_few_steps_learn_the_discs(tmp_path: Path) -> None:
    longer = task(steps=24, validate_every=12)
    best = train_checkpoint(longer, tmp_path, CPU.fabric("32-true"))
    first, last = curve(tmp_path)
    names = ("semantic", "detail", "matte", "composition")
    assert sum(last[n] for n in names) < 0.8 * sum(first[n] for n in names)
    assert last["mad"] < 0.3
    assert last["score"] == -last["mad"] == -last["mad discs"]
    assert load_network(best).info == INFO
    assert metrics_of(best)["mse"] == pytest.approx(last["mse"])


def test_same_seed_same_weights(tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        one = task(steps=2, seed=seed)
        train_checkpoint(one, tmp_path / name, CPU.fabric("32-true"))
        weights.append(load_network(tmp_path / name / "last.safetensors").state_dict())
    a, b, c = weights
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)


def test_a_resumed_run_has_the_unbroken_runs_curve(tmp_path: Path) -> None:
    unbroken = task(schedule="constant")
    train_checkpoint(unbroken, tmp_path / "unbroken", CPU.fabric("32-true"))
    broken = task(schedule="constant", steps=2)
    train_checkpoint(broken, tmp_path / "broken", CPU.fabric("32-true"))
    again = task(schedule="constant")
    with torch.no_grad():
        for parameter in again.network.parameters():
            parameter.zero_()  # whatever it starts from doesn't count
    train_checkpoint(again, tmp_path / "broken", CPU.fabric("32-true"), resume=True)
    assert len(curve(tmp_path / "unbroken")) == 2
    assert curve(tmp_path / "unbroken") == curve(tmp_path / "broken")


def test_mixed_precision_reaches_the_branches() -> None:
    one = task()
    fabric = CPU.fabric("bf16-mixed")
    wrapped = fabric.setup(one.network)
    seen: list[torch.dtype] = []
    one.network.network.hr_branch.conv_hr.register_forward_hook(
        lambda *call: seen.append(call[2].dtype)
    )
    batch = {key: torch.as_tensor(value) for key, value in one.batch(1, 0).items()}
    losses = one.losses(wrapped, batch)
    assert seen == [torch.bfloat16]
    assert {value.dtype for value in losses.values()} == {torch.float32}


def test_masks_and_empty_pictures_are_scored_too() -> None:
    class Bright(BranchedModnet):
        def forward(self, image: torch.Tensor) -> Branches:
            bright = (image.mean(1, keepdim=True) > 0).float()
            return Branches(bright, bright, bright)

    label = np.zeros((40, 60), np.uint8)
    label[10:30, 10:30] = 255
    picture = np.repeat(label[:, :, None], 3, axis=2)
    mask = replace(disc(0), kind="mask", picture=picture, truth=label)
    empty = replace(mask, kind="background", truth=np.zeros_like(label))
    metrics = matte_metrics(Bright(network()), [("a", mask), ("b", empty)], 64)
    assert metrics["iou a"] > 0.9
    assert metrics["score"] == metrics["iou a"] - 1
    assert metrics["false b"] == pytest.approx(400 / 2400, abs=0.02)
    assert set(metrics) == {"score", "iou a", "false b"}
    exact = matte_metrics(Bright(network()), [("c", replace(mask, kind="alpha"))], 64)
    assert exact["mad"] < 0.03
    assert exact["score"] == -exact["mad"]
    assert matte_metrics(Bright(network()), [], 64) == {"score": 0}
    ignored = replace(mask, truth=np.full_like(label, 128))
    assert matte_metrics(Bright(network()), [("d", ignored)], 64) == {"score": 0, "false d": 0}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for folder in ("discs/images", "discs/alphas"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for seed in range(8):
        made = disc(seed)
        cv2.imwrite(str(tmp_path / f"data/discs/images/{seed}.png"), made.picture)
        cv2.imwrite(str(tmp_path / f"data/discs/alphas/{seed}.png"), made.truth)
    return tmp_path / "data"


def test_training_leaves_a_network_that_runs(data: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.safetensors"
    save_network(network(), start)
    few = replace(SETTINGS.collect, held_back=0.4)
    settings = replace(SETTINGS, collect=few, run=replace(SETTINGS.run, steps=2, batch=2))
    said: list[str] = []
    best = train_modnet(
        settings, data, tmp_path / "run", machine=CPU, init=start, progress=said.append
    )
    assert load_network(best).info == INFO
    session = open_onnx_file(best.with_suffix(".onnx"), threads=1)
    assert session.metadata()["matte.width"] == "0.25"
    assert any("at most" in line for line in said)


def test_a_smaller_modnet_lends_its_backbone(tmp_path: Path) -> None:
    narrow, wide = network(1), build_network(replace(INFO, width=0.5))
    save_network(narrow, tmp_path / "narrow.safetensors")
    before = wide.state_dict()["hr_branch.conv_hr.0.layers.0.weight"].clone()
    start_modnet(wide, tmp_path / "narrow.safetensors")
    theirs = narrow.backbone.state_dict()
    assert all(torch.equal(v, theirs[k]) for k, v in wide.backbone.state_dict().items())
    assert torch.equal(wide.state_dict()["hr_branch.conv_hr.0.layers.0.weight"], before)


@pytest.mark.parametrize("encoder", ["mobilenetv2", "mobilenetv2_100"])
def test_torchvision_and_segmenters_start_the_backbone(encoder: str, tmp_path: Path) -> None:
    segmenter = build_segmenter("unet")
    torch.save(segmenter.encoder.state_dict(), tmp_path / "mobilenet.pth")
    save_checkpoint(segmenter, CheckpointInfo("unet", 64), tmp_path / "person.safetensors")
    image = torch.rand(1, 3, 64, 96) * 2 - 1
    for name in ("mobilenet.pth", "person.safetensors"):
        started = build_network(ModnetInfo(encoder, width=0.25))
        start_modnet(started, tmp_path / name)
        with torch.inference_mode():
            theirs = segmenter.encoder.eval()(image)
            ours = started.backbone.eval()(image)
        torch.testing.assert_close(ours.half, theirs[1])
        torch.testing.assert_close(ours.quarter, theirs[2])
        if isinstance(started.backbone, MobileNetV2Backbone):
            torch.testing.assert_close(ours.deep, theirs[5])
        refit_norms(started.backbone, image)
        with torch.inference_mode():
            torch.testing.assert_close(
                started.backbone.eval()(image).quarter, ours.quarter, rtol=1e-3, atol=1e-3
            )


def test_an_encoder_of_another_kind_is_refused(tmp_path: Path) -> None:
    torch.save(build_segmenter("unet").encoder.state_dict(), tmp_path / "mobilenet.pth")
    with pytest.raises(WeightsError, match="not for mobilenetv3_small_050"):
        start_modnet(network(), tmp_path / "mobilenet.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        start_modnet(build_network(ModnetInfo("mobilenetv2_050")), tmp_path / "mobilenet.pth")


def test_pictures_go_in_from_minus_one_to_one() -> None:
    values = to_modnet_input(torch.tensor([0, 255], dtype=torch.uint8).expand(1, 32, 3, 2).mT)
    assert values.shape == (1, 3, 32, 2)
    assert sorted(set(values.flatten().tolist())) == [-1, 1]


def test_bad_settings_are_named() -> None:
    with pytest.raises(SettingError, match="reference = 16"):
        ModnetRecipe((DataSet("discs"),), reference=16)
    with pytest.raises(SettingError, match="detail = -1"):
        ModnetLossWeights(detail=-1)
