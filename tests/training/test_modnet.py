import json
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch

from matte.errors import WeightsError
from matte.modnet.backbones import MobileNetV2Backbone
from matte.modnet.checkpoint import load_network, metrics_of, save_network
from matte.modnet.network import ModnetInfo, build_network
from matte.runtime.opener import open_onnx_file
from matte.segmentation.network import CheckpointInfo, save_checkpoint
from matte.segmentation.network import build_network as build_segmenter
from matte.training.machine import TrainingMachine
from matte.training.modnet import train_modnet
from matte.training.start import refit_norms, start_modnet
from tests.training.checkpoints import train_checkpoint
from tests.training.modnet_discs import INFO, SETTINGS, disc, network, task

CPU = TrainingMachine("cpu")


def curve(out: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{**row["losses"], **row["validation"]} for row in rows]


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


@pytest.mark.filterwarnings("ignore:this processor has no bfloat16")
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
