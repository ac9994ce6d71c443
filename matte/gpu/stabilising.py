"""Alphas and confidences averaged along the motion, on a device.

What `matte.clips.stabilising` and `matte.clips.confidence_average` do. What is small, as the motion
is, comes from the processor.
"""

import torch
from torch import Tensor

from matte.gpu.planes import resize
from matte.gpu.warping import colour_agreement, sample, source_places, warp


def blend_confidence(
    confidence: Tensor, previous: Tensor, flow: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Return a frame's confidence (1, 1, H, W), blended with the average before, and the average.

    `previous` is that average, `weight` its blend weight, both (1, 1, h, w) as the flow.
    """
    small = resize(confidence, *previous.shape[2:])
    change = weight * (warp(previous, flow) - small)
    blended = (confidence + resize(change, *confidence.shape[2:])).clamp(0, 1)
    return blended, small + change


def average_along_motion(
    alphas: tuple[Tensor, Tensor],
    colours: tuple[Tensor, Tensor],
    flow: Tensor,
    edge: Tensor,
    min_change: float,
) -> Tensor:
    """Return the second alpha (1, 1, H, W), averaged with the first where it is soft or changes.

    Both are a frame's and the next one's, as are the local mean `colours`; `flow` (1, 4, h, w) is
    the subject's, and `edge` (1, 1, h, w) uint8 says near which pixels alpha has its edge.
    """
    previous, alpha = alphas
    height, width = alpha.shape[2:]
    near = torch.nn.functional.interpolate(edge.float(), (height, width), mode="nearest") > 0
    soft = (alpha - 0.5).abs() < 0.5 - min_change
    unstable = near & (soft | ((alpha - previous).abs() > min_change))
    x, y, weights = source_places(flow, height, width)
    past = sample(previous, x, y, sharp=True).clamp(0, 1)
    same = colour_agreement(colours[1], sample(colours[0], x, y).round())
    # Around the subject the background may change; the subject itself must look the same.
    weight = weights[0] * same + weights[1] * (1 - past * (1 - same))
    return torch.where(unstable, alpha + weight * (past - alpha), alpha)


def neighbour_mean(
    alphas: tuple[Tensor, Tensor, Tensor],
    colours: tuple[Tensor, Tensor, Tensor],
    followed: Tensor,
    max_difference: float,
) -> Tensor:
    """Return the middle one of three alphas, with its neighbours' mean where it alone differs.

    `followed` (1, 1, h, w) says how surely the three frames show the same.
    """
    before, now, after = alphas
    to_before, to_after = (now - before).abs(), (now - after).abs()
    stands_out = torch.minimum(to_before, to_after) > max_difference
    agree = (before - after).abs() <= max_difference
    weight = torch.minimum(
        colour_agreement(colours[1], colours[0]), colour_agreement(colours[1], colours[2])
    )
    weight = weight * resize(followed, *now.shape[2:])
    return torch.where(stands_out & agree, now + weight * ((before + after) / 2 - now), now)
