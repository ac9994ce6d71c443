from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from matte.errors import SettingError
from matte.modnet.checkpoint import load_network, metrics_of, save_network
from matte.modnet.network import CONTEXTS, KIND, IBNorm, ModnetInfo, build_network
from matte.runtime.tensors import save_tensors
from tests.modnet.official import official_case, single_state

SMALL = "mobilenetv3_small_050"  # one of timm's, with features from 1/2 to 1/32
# It starts at 1/4, as ConvNeXt's do.
PATCHES = "convnext_zepto_rms"


def picture(batch: int, height: int, width: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(height)
    coarse = torch.rand(batch, 3, height // 16, width // 16, generator=random) * 2 - 1
    return coarse.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)


def test_it_is_the_official_network() -> None:
    network = build_network().eval()
    network.load_state_dict(single_state())
    case = official_case()
    with torch.inference_mode():
        found = network.branches(torch.from_numpy(case.image))
        assert torch.equal(network(torch.from_numpy(case.image)), found.matte)
    for name, expected in case.outputs.items():
        # 0 … 2e-6 with as many threads as they had, 7e-5 with another number of them.
        np.testing.assert_allclose(getattr(found, name), expected, rtol=0, atol=1e-4)


def test_it_has_the_official_parameters() -> None:
    network = build_network()
    assert sum(p.numel() for p in network.parameters()) == 6_487_075
    shapes = {key: tensor.shape for key, tensor in network.state_dict().items()}
    assert shapes == {key: tensor.shape for key, tensor in single_state().items()}


@pytest.mark.parametrize("shape", [(32, 32), (32, 96), (224, 160)])
@pytest.mark.parametrize("context", sorted(CONTEXTS))
def test_every_multiple_of_32_fits(context: str, shape: tuple[int, int]) -> None:
    network = build_network(ModnetInfo(SMALL, context)).eval()
    with torch.inference_mode():
        found = network.branches(picture(2, *shape))
    assert found.semantic.shape == (2, 1, shape[0] // 16, shape[1] // 16)
    assert found.detail.shape == found.matte.shape == (2, 1, *shape)
    for values in found:
        assert values.min() >= 0
        assert values.max() <= 1


@pytest.mark.parametrize("context", sorted(CONTEXTS))
@pytest.mark.parametrize("encoder", ["mobilenetv2", SMALL, PATCHES])
def test_every_variant_learns(encoder: str, context: str) -> None:
    torch.manual_seed(1)
    network = build_network(ModnetInfo(encoder, context))
    found = network.branches(picture(2, 64, 96))
    torch.stack([values.mean() for values in found]).sum().backward()  # type: ignore[no-untyped-call]  # torch
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert without == []


def test_pictures_of_a_batch_do_not_see_each_other() -> None:
    network = build_network().eval()
    network.load_state_dict(single_state())
    pair = torch.cat((picture(1, 64, 96), -picture(1, 64, 96)))
    with torch.inference_mode():
        together, alone = network(pair), torch.cat([network(one[None]) for one in pair])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)
    assert not torch.allclose(together[0], together[1], atol=0.1)


def test_ibnorm_is_half_batch_norm_and_half_instance_norm() -> None:
    norm = IBNorm(6)
    torch.nn.init.uniform_(norm.bnorm.weight)
    values = torch.rand(2, 6, 5, 7) * 3 + 1
    expected = torch.cat(
        (
            F.batch_norm(values[:, :3], None, None, norm.bnorm.weight, norm.bnorm.bias, True),
            F.instance_norm(values[:, 3:]),
        ),
        1,
    )
    torch.testing.assert_close(norm(values), expected)


def test_ibnorm_counts_in_float32_whatever_it_is_given() -> None:
    norm = IBNorm(4).eval()
    values = torch.rand(1, 4, 64, 64, generator=torch.Generator().manual_seed(1)) * 60000
    half = norm.half()(values.half())  # sums and squares are far beyond float16
    assert half.dtype == torch.float16
    expected = F.instance_norm(values.half().float())[:, 2:]
    torch.testing.assert_close(half[:, 2:].float(), expected, rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (ModnetInfo("mobilenetv3_larg_100"), "did you mean mobilenetv3_large_100"),
        (ModnetInfo("hf-hub:someone/something"), r"timm\.list_models\(\) tells all"),
        (ModnetInfo("vit_tiny_patch16_224"), "features at 1/16"),
        (ModnetInfo("swin_tiny_patch4_window7_224"), "pictures of any size"),
        (ModnetInfo(context="e-aspp"), "did you mean 'e_aspp'"),
    ],
)
def test_what_does_not_fit_is_refused(info: ModnetInfo, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        build_network(info)


@pytest.mark.parametrize("width", [0.25, 0.5, 2.0])
def test_width_scales_the_branches(width: float) -> None:
    info = ModnetInfo(SMALL, "e_aspp", width)
    assert (info.wide, info.narrow) == (96 * width, 32 * width)
    network = build_network(info).eval()
    with torch.inference_mode():
        assert network(picture(1, 64, 96)).shape == (1, 1, 64, 96)
    released = build_network(ModnetInfo(SMALL, "e_aspp"))
    assert network.state_dict().keys() == released.state_dict().keys()


def test_channels_are_multiples_of_8() -> None:
    info = ModnetInfo(SMALL, width=0.3)
    assert (info.wide, info.narrow) == (32, 8)


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), 5.0])
def test_a_width_that_can_not_be_is_refused(width: float) -> None:
    with pytest.raises(SettingError, match="width = "):
        ModnetInfo(width=width)


def test_checkpoints_carry_the_width_and_old_ones_have_none(tmp_path: Path) -> None:
    network = build_network(ModnetInfo(SMALL, "e_aspp", 0.25))
    save_network(network, tmp_path / "new.safetensors", 7, {"mad": 0.5})
    assert load_network(tmp_path / "new.safetensors").info == network.info
    assert metrics_of(tmp_path / "new.safetensors") == {"mad": 0.5}
    full = build_network(ModnetInfo(SMALL))
    told = {"encoder": SMALL, "context": "se_block"}
    save_tensors(tmp_path / "old.safetensors", full.state_dict(), KIND, told)
    assert load_network(tmp_path / "old.safetensors").info == ModnetInfo(SMALL)
    assert metrics_of(tmp_path / "old.safetensors") == {}
