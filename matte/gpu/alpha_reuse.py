"""The pixels' part of reusing a frame's alpha in the next one, on a device.

What is stale is decided by `matte.clips`, from what its cells count.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from matte.gpu.pictures import DeviceTrimap
from matte.gpu.warping import colour_agreement, sample, source_places


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two frames are compared: every `step`th row and column, counted in cells of pixels.

    A pixel has changed where the frames agree by less than `min_agreement`.
    """

    step: int
    cell_side: int
    min_agreement: float


def warp_and_compare(
    previous: Tensor,
    colours: tuple[Tensor, Tensor],
    flow: Tensor,
    trimap: DeviceTrimap,
    comparison: Comparison,
) -> tuple[Tensor, NDArray[np.int64]]:
    """Return the previous alpha, warped in the band, and each cell's number of changed pixels.

    `colours` are the local mean colours of this frame and the one before, `flow` (1, 4, h, w) is
    the subject's. Outside the band alpha (1, 1, H, W) is the trimap's.
    """
    x, y, weights = source_places(flow, *trimap.shape)
    past = sample(previous, x, y, sharp=True).clamp(0, 1)
    alpha = torch.where(trimap.unknown, past, trimap.known_alpha())
    same = colour_agreement(colours[0], sample(colours[1], x, y).round())
    # Around the subject the background may change; the subject itself must look the same.
    agreement = weights[0] * same + weights[1] * (1 - alpha * (1 - same))
    changed = trimap.unknown & (agreement < comparison.min_agreement)
    compared = changed[..., :: comparison.step, :: comparison.step].float()
    side = comparison.cell_side // comparison.step
    rows, columns = compared.shape[2:]
    filled = F.pad(compared, (0, -columns % side, 0, -rows % side))
    counts = (F.avg_pool2d(filled, side) * side**2).round()
    return alpha, counts[0, 0].to(torch.int64).cpu().numpy()


def renew(alpha: Tensor, past: Tensor, renewed: Tensor, weight: float) -> Tensor:
    """Return refined alpha, blended with the warped one where it was refined for its age alone."""
    return torch.where(renewed, past + weight * (alpha - past), alpha)


def enlarge_cells(cells: Tensor, side: int, height: int, width: int) -> Tensor:
    """Return each cell's flag (1, 1, rows, columns) at the pixels of the cell, (1, 1, H, W)."""
    pixels = cells.repeat_interleave(side, dim=2).repeat_interleave(side, dim=3)
    return pixels[..., :height, :width]
