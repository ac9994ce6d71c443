import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from lightning_fabric.utilities import rank_zero_only

from matte.cli.train import _train, train
from matte.datasets.samples import Sample
from matte.errors import SettingError
from matte.runtime.opener import open_onnx_file
from matte.segmentation.network import build_network, load_checkpoint
from matte.training.collection import Collection, collect_pictures
from matte.training.freezing import weighted_layers
from matte.training.machine import TrainingMachine
from matte.training.recipes import read_recipe
from matte.training.segmenter import SegmenterTask, train_segmenter
from matte.training.settings import SegmenterRecipe
from tests.training.checkpoints import train_checkpoint


@pytest.fixture
def settings(recipe: Path) -> SegmenterRecipe:
    return read_recipe(SegmenterRecipe, str(recipe))


def trained(settings: SegmenterRecipe, data: Path, out: Path) -> Path:
    torch.manual_seed(settings.run.seed)
    network = build_network(settings.architecture)
    task = SegmenterTask(
        settings, network, collect_pictures(settings.data, settings.collect, data, lambda _: None)
    )
    return train_checkpoint(task, out, TrainingMachine("cpu").fabric(settings.run.precision))


def test_a_few_steps_learn_the_discs(settings: SegmenterRecipe, data: Path, tmp_path: Path) -> None:
    run = replace(settings.run, steps=40, validate_every=20)
    longer = replace(settings, run=run, architecture="deeplab-unet-light")
    best = trained(longer, data, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    curve = [sum(row["losses"].values()) for row in rows]
    assert len(curve) == 2
    assert curve[1] < 0.8 * curve[0]
    network, info = load_checkpoint(best)
    assert (info.architecture, info.size) == ("deeplab-unet-light", 64)
    assert info.metrics["iou discs"] > 0.5
    assert not network.training


def test_same_seed_same_weights(settings: SegmenterRecipe, data: Path, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run = replace(settings.run, steps=2, validate_every=2, seed=seed)
        trained(replace(settings, run=run), data, tmp_path / name)
        weights.append(load_checkpoint(tmp_path / name / "last.safetensors")[0].state_dict())
    a, b, c = weights
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)


def test_joined_networks_are_trained_together_and_the_first_may_stay(
    settings: SegmenterRecipe, data: Path, tmp_path: Path
) -> None:
    first, both = "likeunet-dark-light", "likeunet-dark-light+mobile-unet"
    frozen = len(list(weighted_layers(build_network(first))))
    run = replace(settings.run, steps=2, validate_every=2, learning_rate=0.01, freeze=frozen)
    trained(replace(settings, run=run, architecture=both), data, tmp_path)
    torch.manual_seed(settings.run.seed)
    before, after = build_network(both), load_checkpoint(tmp_path / "last.safetensors")[0]
    stayed, learnt = (
        [torch.equal(t, after.state_dict()[n]) for n, t in before.named_parameters() if part in n]
        for part in ("members.0", "members.1")
    )
    assert all(stayed)
    assert not any(learnt)
    assert torch.equal(after.state_dict()["network.shares"].flatten(), torch.full((2,), 0.5))


def test_batches_differ_in_proportion_but_not_within(settings: SegmenterRecipe, data: Path) -> None:
    wide = replace(settings, aspects=2.5, sizes=(96,))
    collection = collect_pictures(wide.data, wide.collect, data, lambda _: None)
    task = SegmenterTask(wide, build_network("unet"), collection)
    shapes = [task.batch(step, 0)["picture"].shape for step in range(12)]
    assert len(set(shapes)) > 2
    for count, height, width, channels in shapes:
        assert (count, channels) == (4, 3)
        assert height % 32 == width % 32 == 0
        assert 0.5 < height * width / 96**2 < 1.6
    first, again, other = (task.batch(*key)["picture"] for key in ((3, 0), (3, 0), (3, 1)))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()


def test_shapes_are_drawn_anew_for_each_batch_and_mattes_stay_soft(
    settings: SegmenterRecipe, data: Path
) -> None:
    shapes = ((64, 32), (32, 64))
    soft = replace(settings, shapes=shapes, soft=True, loss="cross-entropy")
    alpha = np.full((40, 40), 77, np.uint8)
    alpha[:, :20] = 128
    item = Sample("x", "alpha", np.zeros((40, 40, 3), np.uint8), alpha)
    collection = Collection(((soft.data[0], (item,)),), (), ())
    task = SegmenterTask(soft, build_network("unet"), collection)
    batches = [task.batch(step, 0) for step in range(8)]
    assert {batch["label"].shape[1:] for batch in batches} == set(shapes)
    inside = np.concatenate([batch["label"].ravel() for batch in batches])
    assert set(np.unique(inside)) == {77, 127, 128}, "128 is only beside the picture"
    hard = replace(soft, soft=False)
    label = SegmenterTask(hard, build_network("unet"), collection).batch(0, 0)["label"]
    assert set(np.unique(label)) <= {0, 128, 255}


def test_the_command_trains_exports_and_resumes(
    recipe: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    discs = tmp_path / "data"
    shutil.copytree(data, discs)
    (discs / "discs/images/broken.png").write_bytes(b"x")
    out = tmp_path / "run"
    arguments = ["segmenter", "--config", recipe, "--data", discs, "--out", out, "--device", "cpu"]
    result = CliRunner().invoke(train, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout == f"{out / 'best.safetensors'}\n"
    assert "skipped" in result.stderr
    assert "broken.png" in result.stderr
    assert (out / "best.onnx").is_file()
    assert open_onnx_file(out / "best.onnx", threads=1).metadata()["matte.size"] == "64"
    recipe.write_text(recipe.read_text().replace("steps = 3", "steps = 4"))
    exported: list[Path] = []
    monkeypatch.setattr(
        "matte.training.segmenter.export_segmenter", lambda _, path: exported.append(path)
    )
    again = [*arguments, "--resume"]
    result = CliRunner().invoke(train, [str(a) for a in again], catch_exceptions=False)
    assert result.exit_code == 0
    rows = [json.loads(row) for row in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [3, 4]
    assert set(exported) <= {out / "best.onnx"}


def test_of_several_processes_one_speaks(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(settings: SegmenterRecipe, init: None, progress: Callable[[str], None]) -> Path:
        progress("at work")
        return Path("best.safetensors")

    for rank, out, err in ((1, "", ""), (0, "best.safetensors\n", "at work\n")):
        monkeypatch.setattr(rank_zero_only, "rank", rank)
        _train(SegmenterRecipe, run, config=str(recipe), init=None)
        assert capsys.readouterr() == (out, err)


def test_cut_outs_need_backgrounds(settings: SegmenterRecipe, data: Path) -> None:
    alone = tuple(d for d in settings.data if d.layout == "cutouts")
    collection = collect_pictures(alone, settings.collect, data, lambda _: None)
    with pytest.raises(SettingError, match="nothing to put them on"):
        SegmenterTask(settings, build_network("unet"), collection)


def test_a_picture_whose_label_counts_nowhere_gives_numbers(settings: SegmenterRecipe) -> None:
    nothing = Sample("x", "mask", np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 128, np.uint8))
    network = build_network("unet").eval()
    task = SegmenterTask(settings, network, Collection((), (("set", nothing),), ()))
    assert task.validate(network) == {"score": 0, "false set": 0}


def test_an_unknown_architecture_is_named(
    settings: SegmenterRecipe, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="did you mean 'unet'"):
        train_segmenter(replace(settings, architecture="unett"), data, tmp_path / "run")
