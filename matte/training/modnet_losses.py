"""The losses that MODNet's training minimises.

Z. Ke et al., "MODNet: Real-Time Trimap-Free Portrait Matting via Objective Decomposition", 2022.
All maps are (N, 1, H, W), alphas 0 … 1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matte.modnet.network import Branches, ModnetNetwork
from matte.training.modnet_settings import ModnetLossWeights

STRIDE = 16  # of the semantic branch
BLUR = (0.2389, 0.5222, 0.2389)  # a Gaussian of σ = 0.8 in 3 pixels
# Alpha up to the first is background, from the second on subject; in between it is soft.
MAX_BACKGROUND_ALPHA, MIN_SUBJECT_ALPHA = 0.02, 0.9


class BranchedModnet(nn.Module):
    """A MODNet that returns the maps of all its branches.

    Fabric prepares the call for precision and for several devices, but no other method.
    """

    def __init__(self, network: ModnetNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Branches:
        """Return the branches' maps of pictures (N, 3, H, W) from −1 … 1."""
        return self.network.branches(image)


def modnet_losses(
    found: Branches,
    picture: Tensor,
    alpha: Tensor,
    valid: Tensor,
    exact: Tensor,
    reach: int,
    goal: ModnetLossWeights,
) -> dict[str, Tensor]:
    """Return the weighted losses of the three branches and of the composition.

    `picture` (N, 3, H, W) 0 … 1; `valid`: 1 where a pixel counts, else 0; `exact` (N,): whether
    alpha is known at the soft edge. Where it is not, alpha is a mask, and within `reach` pixels of
    its edge only the semantic branch is trained.

    As published, each is a mean over the pictures' pixels, the detail branch's too: those far from
    the edge add nothing, so its weight is ten times the matte's.
    """
    near = edge_band(alpha, reach, valid) * valid
    sure = exact.to(alpha.dtype)[:, None, None, None]
    weight = valid * (1 - near) + near * sure * (1 + goal.band)
    semantic, share = semantic_target(alpha, valid)
    apart = (found.matte - alpha).abs()
    composed = (apart * picture).mean(dim=1, keepdim=True)  # |αI − α̂I|
    pixels = valid.sum().clamp(min=1)
    return {
        "semantic": goal.semantic
        * ((found.semantic - semantic).square() * share).sum()
        / share.sum().clamp(min=1),
        "detail": goal.detail * ((found.detail - alpha).abs() * near * sure).sum() / pixels,
        "matte": goal.matte * (apart * weight).sum() / pixels,
        "composition": goal.matte * goal.composition * (composed * weight).sum() / pixels,
    }


def semantic_target(alpha: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the semantic branch's target (N, 1, H / 16, W / 16): alpha averaged and blurred.

    Also the share of each cell that is valid; the rest does not count.
    """
    valid = torch.ones_like(alpha) if valid is None else valid
    share = F.avg_pool2d(valid, STRIDE)
    mean = _blur(F.avg_pool2d(alpha * valid, STRIDE)) / _blur(share).clamp(min=1e-6)
    return mean, share


def edge_band(alpha: Tensor, reach: int, valid: Tensor | None = None) -> Tensor:
    """Return 1 where a pixel is within `reach` of both the subject and the background, else 0.

    Soft pixels are both. The edge of what is valid is not an edge of the subject.
    """
    valid = torch.ones_like(alpha) if valid is None else valid
    there = (alpha > MAX_BACKGROUND_ALPHA) & (valid > 0)
    missing = (alpha < MIN_SUBJECT_ALPHA) & (valid > 0)
    return _dilate(there.to(alpha.dtype), reach) * _dilate(missing.to(alpha.dtype), reach)


def _dilate(region: Tensor, reach: int) -> Tensor:
    """Return the largest value within a square; one axis after the other, for speed."""
    side = 2 * reach + 1
    across = F.max_pool2d(region, (1, side), stride=1, padding=(0, reach))
    return F.max_pool2d(across, (side, 1), stride=1, padding=(reach, 0))


def _blur(values: Tensor) -> Tensor:
    """Return a map (N, 1, H, W) blurred by a Gaussian of 3 × 3 pixels."""
    kernel = values.new_tensor(BLUR)
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    return F.conv2d(padded, torch.outer(kernel, kernel)[None, None])
