"""Several segmentation networks as one, for what each of them sees that the others don't."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class MeanOfNetworks(nn.Module):
    """The weighted mean of several networks' logits (N, 1, H, W), for the same pictures."""

    def __init__(self, networks: Sequence[nn.Module], shares: Sequence[float] = ()) -> None:
        """`networks` give logits, one map or more; the first map is the subject's.

        `shares` are the networks' in the mean, and add up to 1; () are equal ones.
        """
        super().__init__()
        self.shares: Tensor
        self.members = nn.ModuleList(networks)
        count = len(self.members)
        weights = torch.tensor(shares or [1 / count] * count, dtype=torch.float32)
        # Four axes, as the maps side by side have: so it is stored under its name in ONNX files.
        self.register_buffer("shares", weights.view(1, -1, 1, 1))

    def forward(self, picture: Tensor) -> Tensor:
        """Return the logits."""
        maps = torch.cat([member(picture)[:, :1] for member in self.members], dim=1)
        return (maps * self.shares).sum(dim=1, keepdim=True)
