"""What the line on a device gives back, and why a frame's alpha should not be trusted."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

import torch
from torch import Tensor

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN
from matte.errors import WeightsError
from matte.pipeline.line import NO_SUBJECT
from matte.pipeline.steps import MIN_SUBJECT_SHARE
from matte.trimap.drawing import (
    MAX_UNKNOWN_SHARE,
    NO_SURE_BACKGROUND,
    NO_SURE_SUBJECT,
    NOTHING_UNKNOWN,
)


class DoubtCode(IntEnum):
    """Why a frame's alpha should not be trusted, as a number in a tensor."""

    NONE = 0
    NO_SUBJECT = 1
    NO_SURE_SUBJECT = 2
    NOTHING_UNKNOWN = 3
    NO_SURE_BACKGROUND = 4
    MOSTLY_UNKNOWN = 5
    NO_ALPHA = 6
    """The network's values are not in 0 … 1: that is an error, not a doubt."""


DOUBT_WORDS = {
    DoubtCode.NONE: "",
    DoubtCode.NO_SUBJECT: NO_SUBJECT,
    DoubtCode.NO_SURE_SUBJECT: NO_SURE_SUBJECT,
    DoubtCode.NOTHING_UNKNOWN: NOTHING_UNKNOWN,
    DoubtCode.NO_SURE_BACKGROUND: NO_SURE_BACKGROUND,
    DoubtCode.MOSTLY_UNKNOWN: "most of the trimap is unknown",
}


@dataclass(frozen=True, slots=True, eq=False)
class FrameResults:
    """The results of N frames, on their device.

    A frame with a doubt has its mask as alpha, 0 if no subject was found; doubts() says which, and
    waits for the device.
    """

    alpha: Tensor  # (N, H, W) float32, 0 … 1
    foreground: Tensor  # (N, H, W, 3) uint8, the subject's own colours
    doubt: Tensor  # (N,) values of DoubtCode
    composite: Tensor | None = None  # (N, H, W, 3) uint8
    mask: Tensor | None = None  # (N, H, W) uint8, 0 and 255
    trimap: Tensor | None = None  # (N, H, W) uint8, 0, 128 and 255

    def doubts(self) -> list[str]:
        """Return why each frame's alpha should not be trusted; empty for those that can be.

        Raises WeightsError if a network's values are no alpha.
        """
        codes = self.doubt.tolist()
        if DoubtCode.NO_ALPHA in codes:
            raise_no_alpha()
        return [DOUBT_WORDS[DoubtCode(code)] for code in codes]

    def clone(self) -> "FrameResults":
        """Return a copy in tensors of its own."""
        composite, mask, trimap = (
            None if x is None else x.clone() for x in (self.composite, self.mask, self.trimap)
        )
        alpha, foreground, doubt = self.alpha.clone(), self.foreground.clone(), self.doubt.clone()
        return FrameResults(alpha, foreground, doubt, composite, mask, trimap)


# From frames (N, H, W, 3) and, if there is one, a background.
FrameFunction = Callable[[Tensor, Tensor | None], FrameResults]


def raise_no_alpha() -> NoReturn:
    """Raise the error that says what to do about a network whose values are no alpha."""
    raise WeightsError(
        "the network gives values that are no alpha", "try --precision fp32, or another network"
    )


def is_alpha(values: Tensor) -> Tensor:
    """Return whether all of a frame's values are about 0 … 1, (N,); phrased so that NaN fails."""
    return ((values >= -1e-3) & (values <= 1 + 1e-3)).flatten(1).all(dim=1)


def doubt_codes(mask: Tensor, trimap: Tensor) -> Tensor:
    """Return the DoubtCode of each frame's mask and trimap, (N,).

    The same decisions as `Subject.is_found` and `trimap_flaw` make for the line in numpy.
    """
    pixels = mask[0].numel()
    subject, unknown, background, masked = (
        torch.count_nonzero(x, dim=(1, 2, 3))
        for x in (trimap == SUBJECT, trimap == UNKNOWN, trimap == BACKGROUND, mask)
    )
    codes = torch.where(unknown > MAX_UNKNOWN_SHARE * pixels, DoubtCode.MOSTLY_UNKNOWN.value, 0)
    for code, missing in (
        (DoubtCode.NO_SURE_BACKGROUND, background == 0),
        (DoubtCode.NOTHING_UNKNOWN, unknown == 0),
        (DoubtCode.NO_SURE_SUBJECT, subject == 0),
        (DoubtCode.NO_SUBJECT, masked < max(1, MIN_SUBJECT_SHARE * pixels)),
    ):
        codes = torch.where(missing, code.value, codes)
    return codes
