"""Guided contextual attention: every place of a picture gathers features from places like it.

Y. Li, H. Lu, "Natural Image Matting via Guided Contextual Attention", AAAI 2020, section 3.
A place is one position at 1/16 of the picture's size. How alike two places are is measured by 3 × 3
patches of the guidance, and what is gathered are overlapping 4 × 4 patches of features, at 1/8.

Only static slices and products of matrices are used, so graphs are exported for any size.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

QUERIES_AT_ONCE = 1024
SELF_PENALTY = -1e4  # added to the likeness of an unknown place to itself: it gathers from others
MIN_NORM = 1e-4
MIN_STRENGTH, MAX_STRENGTH = 0.1, 10.0


class AttentionContext(NamedTuple):
    """The guidance, unknown places and their share that the attention of a picture needs.

    `guidance` is (N, C, H/8, W/8); `unknown` (N, 1, H/16, W/16), 1 where the trimap is unknown and
    else 0; `ratio` (N,) the share of unknown places in the whole picture, which may be larger than
    the network's input.
    """

    guidance: Tensor
    unknown: Tensor
    ratio: Tensor


class GuidedAttention(nn.Module):
    """Features (N, C, H/8, W/8) with what was gathered added to them.

    `queries` is how many places gather at a time: memory grows with it, results stay. None
    stands for half of the picture, since a graph for any size needs a fixed number of steps.
    """

    def __init__(self, features: int, guidance: int) -> None:
        super().__init__()
        self.queries: int | None = QUERIES_AT_ONCE
        self.guidance_conv = nn.Conv2d(guidance, guidance // 2, 1)
        norm = nn.BatchNorm2d(features)
        self.W = nn.Sequential(nn.Conv2d(features, features, 1, bias=False), norm)
        nn.init.xavier_uniform_(self.guidance_conv.weight)
        nn.init.zeros_(norm.bias)
        nn.init.constant_(norm.weight, 1e-3)  # training starts from the features as they are

    def forward(self, features: Tensor, context: AttentionContext) -> Tensor:
        """Return the features with the gathered ones added."""
        # Products of unnormalised guidance overflow float16, and lose digits in bfloat16.
        with torch.autocast(features.device.type, enabled=False):
            guidance = self.guidance_conv(context.guidance.to(self.guidance_conv.weight.dtype))
            # Every second place, as a pool of one: OpenVINO takes the size of an exported slice
            # with a step to be that of the whole.
            query = _patches(F.avg_pool2d(guidance.float(), 1, stride=2))
            near_unknown = F.max_pool2d(context.unknown.float(), 3, stride=1, padding=1).flatten(1)
            strength = _place_strengths(near_unknown, context.ratio.float())
            norm = query.norm(dim=-1, keepdim=True).clamp_min(MIN_NORM)
            key = query * (strength.view(norm.shape) / norm)
            gathered = self._gather(query, key, SELF_PENALTY * near_unknown, features)
        result: Tensor = features + self.W(gathered)
        return result

    def _gather(self, query: Tensor, key: Tensor, self_penalty: Tensor, features: Tensor) -> Tensor:
        """Return each place's sum of all places' features, weighted by attention.

        `self_penalty` is added to the likeness of each place to itself.
        """
        # Neighbouring 4 × 4 patches overlap by half. Features are cut into 2 × 2 blocks instead,
        # and the overlaps summed on the attention: a quarter of the multiplications.
        blocks = F.pixel_unshuffle(F.pad(features, (1, 1, 1, 1), mode="reflect"), 2)
        values = blocks.flatten(2).transpose(1, 2)
        n, height, width, _ = query.shape
        keys = key.flatten(1, 2).transpose(1, 2)
        own = (query * key).sum(dim=-1) + self_penalty.view(n, height, width)
        index = torch.arange(height * width, device=query.device).view(1, height, width)

        def gather_rows(rows: slice) -> Tensor:
            """Return blocks for the queries of some rows, (N, rows + 1, width + 1, C)."""
            ask, where = query[:, rows].flatten(1, 2), index[:, rows].reshape(1, -1, 1)
            logits = ask @ keys
            logits = logits.scatter(2, where.expand(n, -1, -1), own[:, rows].reshape(n, -1, 1))
            attention = torch.softmax(logits, dim=2).to(values.dtype)
            overlapped = _patches_to_blocks(attention.view(n, -1, width, height, width))
            return (overlapped @ values).view(n, -1, width + 1, values.shape[2])

        cuts = [0, height // 2, height]  # the height in places is even
        if self.queries is not None:
            cuts = [*range(0, height, max(1, self.queries // width)), height]
        gathered = _join_strips([gather_rows(slice(*cut)) for cut in pairwise(cuts)])
        gathered = F.pixel_shuffle(gathered.permute(0, 3, 1, 2), 2)
        return gathered[:, :, 1 : 1 + 2 * height, 1 : 1 + 2 * width] / 4


def _patches(guidance: Tensor) -> Tensor:
    """Return the 3 × 3 patch around every place, (N, C, H, W) to (N, H, W, 9·C)."""
    height, width = guidance.shape[2:]
    around = F.pad(guidance, (1, 1, 1, 1), mode="reflect")
    shifted = [around[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.cat(shifted, dim=1).permute(0, 2, 3, 1)


def _place_strengths(near_unknown: Tensor, ratio: Tensor) -> Tensor:
    """Return each place's strength (N, places): known ones count more, the more is known.

    And unknown ones the more, the more is unknown (equation 6).
    """
    unknown = ratio.view(-1, 1)
    # Two bounds in one clamp mix number types in exported graphs. 1/0 is infinite: the bound.
    of_unknown = (unknown / (1 - unknown)).sqrt().clamp(min=MIN_STRENGTH).clamp(max=MAX_STRENGTH)
    of_known = ((1 - unknown) / unknown).sqrt().clamp(min=MIN_STRENGTH).clamp(max=MAX_STRENGTH)
    return near_unknown * of_unknown + (1 - near_unknown) * of_known


def _patches_to_blocks(attention: Tensor) -> Tensor:
    """Convert attention between patches, (N, r, c, H, W), to attention between blocks.

    Of shape (N, (r + 1)·(c + 1), (H + 1)·(W + 1)): the sum over the four blocks of each patch.
    """
    rows = F.pad(attention, (0, 0, 0, 1, 0, 0, 0, 1)) + F.pad(attention, (0, 0, 1, 0, 0, 0, 1, 0))
    both = F.pad(rows, (0, 1, 0, 0, 0, 1)) + F.pad(rows, (1, 0, 0, 0, 1, 0))
    return both.flatten(3, 4).flatten(1, 2)


def _join_strips(strips: list[Tensor]) -> Tensor:
    """Join strips (N, rows + 1, …) one below the other, adding their overlapping rows.

    The last row of one and the first of the next are parts of one row.
    """
    rows = [strips[0][:, :-1]]
    for above, below in pairwise(strips):
        rows += [above[:, -1:] + below[:, :1], below[:, 1:-1]]
    return torch.cat([*rows, strips[-1][:, -1:]], dim=1)
