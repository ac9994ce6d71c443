import torch
from torch import Tensor, nn

from matte.segmentation.mean_of_networks import MeanOfNetworks

PICTURE = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Constant(nn.Module):
    """Gives the same logit everywhere, and another in a second map."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, picture: Tensor) -> Tensor:
        values = torch.full((len(picture), 2, *picture.shape[2:]), self.logit)
        values[:, 1] = 100
        return values


def test_first_maps_are_averaged() -> None:
    found = MeanOfNetworks([Constant(6), Constant(-1), Constant(-2)])(PICTURE)
    assert found.shape == (2, 1, 8, 8)
    torch.testing.assert_close(found, torch.full_like(found, 1))


def test_shares_weigh_the_networks() -> None:
    found = MeanOfNetworks([Constant(2), Constant(-2)], (0.75, 0.25))(PICTURE)
    torch.testing.assert_close(found, torch.full_like(found, 1))
