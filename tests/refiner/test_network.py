import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matte.errors import SettingError
from matte.refiner.attention import AttentionContext, GuidedAttention
from matte.refiner.network import (
    GcaDesign,
    GcaNetwork,
    spectral_convolutions,
    with_spectral_norm,
    without_spectral_norm,
)
from tests.official import filled

SLIM = GcaDesign(width=0.25)
ROUNDING = 1e-5  # float32 sums in another order; 1e-6 measured


def lived_in(design: GcaDesign = SLIM) -> GcaNetwork:
    """A network whose norms don't do nothing, with weights as large as trained ones."""
    network = GcaNetwork(design)
    shapes = {key: tensor.shape for key, tensor in network.state_dict().items()}
    network.load_state_dict(filled(shapes))
    return without_spectral_norm(with_spectral_norm(network))


def pictures(height: int, width: int, count: int = 1) -> dict[str, Tensor]:
    """Smooth noise, and trimaps with more and more unknown."""
    random = torch.Generator().manual_seed(3)
    noise = torch.rand(count, 4, height // 8, width // 8, generator=random)
    smooth = F.interpolate(noise, scale_factor=8, mode="bilinear")
    level, share = smooth[:, 3:], torch.linspace(0.2, 0.9, count).view(-1, 1, 1, 1)
    trimap = 0.5 + 0.5 * ((level > (1 + share) / 2).float() - (level < (1 - share) / 2).float())
    return {"image": smooth[:, :3], "trimap": trimap}


@torch.inference_mode()
def alpha(network: GcaNetwork, **inputs: Tensor) -> Tensor:
    result: Tensor = network(**inputs)
    return result


def assert_same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=ROUNDING, rtol=ROUNDING)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("trimap_channels", [1, 3])
def test_alpha_keeps_what_the_trimap_knows(attention: bool, trimap_channels: int) -> None:
    network = lived_in(GcaDesign(attention, trimap_channels, 0.125))
    inputs = pictures(64, 96, 2)
    found, trimap = alpha(network, **inputs), inputs["trimap"]
    assert found.shape == (2, 1, 64, 96)
    assert found.dtype == torch.float32
    assert (found[trimap == 0] == 0).all()
    assert (found[trimap == 1] == 1).all()
    soft = found[trimap == 0.5]
    assert ((soft >= 0) & (soft <= 1)).all()
    assert soft.std() > 0.02


def test_levels_are_cut_as_in_the_released_code() -> None:
    trimap = torch.full((1, 1, 32, 32), 0.5)
    trimap[0, 0, 0, :4] = torch.tensor([84, 85, 169, 170]) / 255
    network = lived_in()
    found = alpha(network, image=torch.rand(1, 3, 32, 32), trimap=trimap)[0, 0, 0]
    assert found[0] == 0
    assert 0 < found[1] < 1
    assert 0 < found[2] < 1
    assert found[3] == 1


def test_one_plane_counts_background_unknown_subject() -> None:
    network = lived_in(GcaDesign(attention=False, trimap_channels=1, width=0.125))
    seen: list[Tensor] = []
    network.encoder.conv1.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    inputs = pictures(32, 32)
    alpha(network, **inputs)
    assert torch.equal(seen[0][:, 3:], 2 * inputs["trimap"])


@pytest.mark.parametrize("queries", [1, 7, 12, 50, None])
def test_how_many_look_around_does_not_matter(queries: int | None) -> None:
    network, inputs = lived_in(), pictures(96, 192, 2)
    expected = alpha(network, **inputs)
    network.set_queries(queries)
    assert_same(alpha(network, **inputs), expected)


def test_a_batch_is_its_items() -> None:
    network, inputs = lived_in(), pictures(64, 96, 3)
    batch = alpha(network, **inputs)
    for i in range(3):
        alone = alpha(network, **{name: t[i : i + 1] for name, t in inputs.items()})
        assert_same(batch[i : i + 1], alone)


def test_a_given_ratio_stands_for_the_trimaps_own() -> None:
    network, inputs = lived_in(), pictures(96, 128, 2)
    own = (inputs["trimap"][:, 0, ::16, ::16] == 0.5).float().mean(dim=(1, 2))
    found = alpha(network, **inputs)
    assert torch.equal(alpha(network, unknown_ratio=own, **inputs), found)
    assert torch.equal(alpha(network, unknown_ratio=torch.tensor([-1.0, own[1]]), **inputs), found)
    other = alpha(network, unknown_ratio=torch.tensor([-1.0, 0.01]), **inputs)
    assert torch.equal(other[0], found[0])
    assert (other[1] - found[1]).abs().max() > 1e-4


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_trimaps_of_one_kind_give_numbers(level: float) -> None:
    inputs = pictures(32, 64) | {"trimap": torch.full((1, 1, 32, 64), level)}
    assert alpha(lived_in(), **inputs).isfinite().all()


@pytest.mark.parametrize("width", [0.01, 0.3, 1.5])
def test_any_width_runs(width: float) -> None:
    design = GcaDesign(width=width)
    assert design.channels(64) % 8 == 0
    assert alpha(GcaNetwork(design).eval(), **pictures(32, 32)).shape == (1, 1, 32, 32)


def test_wrong_designs_are_refused() -> None:
    with pytest.raises(SettingError, match="trimap_channels = 2: give 1 or 3"):
        GcaDesign(trimap_channels=2)
    with pytest.raises(SettingError, match="width = nan"):
        GcaDesign(width=float("nan"))


def test_half_precision_is_near() -> None:
    network, inputs = lived_in(), pictures(64, 96)
    with torch.autocast("cpu", torch.bfloat16):
        found = alpha(network, **inputs)
    assert (found - alpha(network, **inputs)).abs().mean() < 0.02


def test_sizes_are_the_released_ones() -> None:
    def values(design: GcaDesign) -> dict[str, tuple[int, ...]]:
        with torch.device("meta"):
            network = GcaNetwork(design)
        return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}

    full, plain = values(GcaDesign()), values(GcaDesign(attention=False))
    assert sum(torch.Size(shape).numel() for shape in full.values()) == 25_187_161
    assert plain == {
        k: s for k, s in full.items() if not {"gca", "guidance_head"} & {*k.split(".")}
    }
    one = values(GcaDesign(trimap_channels=1))
    changed = {key for key in full if full[key] != one[key]}
    assert changed == {"encoder.conv1.weight", "encoder.shortcut.0.0.weight"}
    assert one["encoder.conv1.weight"] == (32, 4, 3, 3)


def test_spectral_norms_come_and_go() -> None:
    torch.manual_seed(0)  # for the vectors that the norms are estimated by
    network, inputs = lived_in(), pictures(64, 64)
    normed = with_spectral_norm(network).eval()
    for name, convolution in spectral_convolutions(normed):
        largest = torch.linalg.matrix_norm(convolution.weight.flatten(1), ord=2).item()
        assert largest == pytest.approx(1, abs=0.1), name
    folded = without_spectral_norm(normed)
    assert folded.state_dict().keys() == network.state_dict().keys()
    assert_same(alpha(folded, **inputs), alpha(normed, **inputs))
    # A network whose norms are 1 already stays what it is.
    again = with_spectral_norm(folded).eval()
    assert (alpha(again, **inputs) - alpha(folded, **inputs)).abs().mean() < 0.01


def test_training_turns_the_singular_vectors() -> None:
    normed = with_spectral_norm(GcaNetwork(SLIM)).train()
    before = {k: v.clone() for k, v in normed.state_dict().items() if k.endswith("._u")}
    normed(**pictures(64, 64, 2)).mean().backward()
    after = normed.state_dict()
    assert len(before) == sum(1 for _ in spectral_convolutions(normed))
    assert any(not torch.equal(before[k], after[k]) for k in before)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.8, 1.0])
def test_attention_is_what_the_paper_says(share: float) -> None:
    """Against patches cut and pasted one by one, with most or few of the places unknown."""
    torch.manual_seed(1)
    attention = GuidedAttention(16, 8).eval()
    nn.init.ones_(attention.W[1].weight)  # type: ignore[arg-type]  # a tensor
    features, guidance = torch.randn(1, 16, 12, 16), torch.randn(1, 8, 12, 16)
    unknown = (torch.rand(1, 1, 6, 8) < share).float()
    context = AttentionContext(guidance, unknown, unknown.mean().view(1))
    with torch.inference_mode():
        expected = features + attention.W(pasted(attention, features, context))
        assert_same(attention(features, context), expected)


def test_gradients_do_not_depend_on_how_many_look_around() -> None:
    torch.manual_seed(1)
    attention = GuidedAttention(16, 8)
    unknown = (torch.rand(2, 1, 6, 8) < 0.5).float()
    found = []
    guidance, features = torch.randn(2, 8, 12, 16), torch.randn(2, 16, 12, 16)
    for attention.queries in (None, 11):
        inputs = [guidance.clone().requires_grad_(), features.clone().requires_grad_()]
        context = AttentionContext(inputs[0], unknown, unknown.mean(dim=(1, 2, 3)))
        attention(inputs[1], context).square().mean().backward()
        found.append([tensor.grad for tensor in inputs])
    torch.testing.assert_close(found[0], found[1])
    assert found[0][0] is not None
    assert found[0][0].abs().max() > 1e-6


def pasted(attention: GuidedAttention, features: Tensor, context: AttentionContext) -> Tensor:
    """The features of similar places, by the equations of section 3."""
    guidance = attention.guidance_conv(context.guidance)[:, :, ::2, ::2]
    height, width = guidance.shape[2:]
    asks = F.unfold(F.pad(guidance, (1, 1, 1, 1), mode="reflect"), 3)[0].T
    touched = F.pad(context.unknown, (1, 1, 1, 1), mode="reflect")
    near = F.unfold(touched, 3)[0].sum(dim=0) > 0
    ratio = float(context.ratio)
    strong = min(max((ratio / max(1 - ratio, 1e-9)) ** 0.5, 0.1), 10)
    weak = min(max(((1 - ratio) / max(ratio, 1e-9)) ** 0.5, 0.1), 10)
    patches = F.unfold(F.pad(features, (1, 1, 1, 1), mode="reflect"), 4, stride=2)[0].T
    chosen = []
    for i, ask in enumerate(asks):
        likeness = asks @ ask / asks.norm(dim=1).clamp_min(1e-4)
        likeness = likeness * torch.where(near, strong, weak)
        if near[i]:
            likeness[i] -= 1e4
        chosen.append(likeness.softmax(dim=0) @ patches)
    size = (2 * height, 2 * width)
    return F.fold(torch.stack(chosen).T[None], size, 4, stride=2, padding=1) / 4
