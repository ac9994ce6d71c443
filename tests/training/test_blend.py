from pathlib import Path

import pytest
import torch

from matte.errors import WeightsError
from matte.refiner.checkpoint import load_network, save_network
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.segmentation.network import (
    build_network,
    load_checkpoint,
)
from matte.training.blend import blend_networks, fold_norms
from tests.commands import run
from tests.trained_networks import randomise_norms, saved_segmenter

LIGHT = "deeplab-unet-light"
SAME = 1e-4
PICTURE = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def unexported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blends without their ONNX files, which take longest; the command's test writes one."""
    for name in ("export_segmenter", "export_refiner"):
        monkeypatch.setattr(f"matte.training.blend.{name}", lambda checkpoint, path: None)


def answer(path: Path) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = load_checkpoint(path)[0](PICTURE)
    return logits


def test_folded_norms_change_nothing() -> None:
    network = build_network(LIGHT).eval()
    randomise_norms(network)
    with torch.inference_mode():
        before = network(PICTURE)
        fold_norms(network, {"image": PICTURE})
        assert float((network(PICTURE) - before).abs().max()) < SAME
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert all(not norm.running_mean.any() for norm in norms if norm.running_mean is not None)


@pytest.mark.usefixtures("unexported")
def test_a_blend_goes_from_one_network_to_the_other(tmp_path: Path) -> None:
    tuned, start = (
        saved_segmenter(tmp_path / "a.safetensors", LIGHT, 1),
        saved_segmenter(tmp_path / "b.safetensors", LIGHT, 2),
    )
    answers = {}
    for share in (0.0, 0.5, 1.0):
        out = tmp_path / f"{share}.safetensors"
        blend_networks(tuned, start, share, out)
        assert load_checkpoint(out)[1].size == 96
        answers[share] = answer(out)
    assert float((answers[1.0] - answer(tuned)).abs().max()) < SAME
    assert float((answers[0.0] - answer(start)).abs().max()) < SAME
    for end in (0.0, 1.0):
        assert float((answers[0.5] - answers[end]).abs().max()) > 100 * SAME


@pytest.mark.usefixtures("unexported")
def test_refiners_are_blended_too(tmp_path: Path) -> None:
    tuned, start = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for seed, path in enumerate((tuned, start)):
        torch.manual_seed(seed)
        refiner = SlimNetwork(SlimDesign(attention=False))
        randomise_norms(refiner)
        save_network(refiner, path)
    inputs = PICTURE, torch.full((2, 1, 64, 96), 0.5)
    answers = []
    for share in (0.0, 0.5, 1.0):
        out = tmp_path / f"{share}.safetensors"
        blend_networks(tuned, start, share, out)
        with torch.inference_mode():
            answers.append(load_network(out)(*inputs))
    with torch.inference_mode():
        first, last = (load_network(path)(*inputs) for path in (tuned, start))
    assert float((answers[2] - first).abs().max()) < SAME
    assert float((answers[0] - last).abs().max()) < SAME
    assert float((answers[1] - answers[0]).abs().max()) > 100 * SAME


@pytest.mark.usefixtures("unexported")
def test_what_the_start_lacks_stays(tmp_path: Path) -> None:
    tuned = saved_segmenter(tmp_path / "a.safetensors", LIGHT, 1)
    torch.manual_seed(3)
    source = build_network("unet").encoder
    torch.save(source.state_dict(), tmp_path / "mobilenet.pth")
    wide = saved_segmenter(tmp_path / "wide.safetensors", "deeplab-unet", 4)
    blend_networks(wide, tmp_path / "mobilenet.pth", 0.25, tmp_path / "out.safetensors")
    ours, mixed = (load_checkpoint(p)[0] for p in (wide, tmp_path / "out.safetensors"))
    head = "network.head.0.weight"
    assert torch.equal(ours.state_dict()[head], mixed.state_dict()[head])
    with pytest.raises(WeightsError, match="does not fit"):
        blend_networks(tuned, tmp_path / "mobilenet.pth", 0.5, tmp_path / "no.safetensors")
    assert not (tmp_path / "no.safetensors").exists()


def test_the_command_writes_both_files_and_replaces_nothing(tmp_path: Path) -> None:
    out = tmp_path / "mixed.safetensors"
    tuned, start = (
        saved_segmenter(tmp_path / "a.safetensors", LIGHT, 1),
        saved_segmenter(tmp_path / "b.safetensors", LIGHT, 2),
    )
    words = ("train", "blend", str(tuned), str(start), "--share", "0.3", "-o", str(out))
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out)
    assert out.with_suffix(".onnx").is_file()
    again = run(*words)
    assert again.exit_code == 1
    assert "exists" in again.stderr
    elsewhere = run(*words[:-1], str(tmp_path / "mixed.onnx"))
    assert elsewhere.exit_code == 1
    assert "end it in .safetensors" in elsewhere.stderr
