import pytest
import torch

from matte.modnet.network import Branches
from matte.training.modnet_losses import edge_band, modnet_losses, semantic_target
from matte.training.modnet_settings import ModnetLossWeights


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
