"""What a frame of video is on its way, and in the end."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from matte.arrays import Alpha, Image

DETAIL = 240  # costs a fifth of what photos' detail does at 720p, for a quarter of a level


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A frame, upright, with its alpha and the subject on its background.

    `image` and `foreground` are RGB (H, W, 3), uint8 or, of deep video, uint16; `composite` is RGB
    in the same depth, or RGBA if the background is transparent. Frames to come build on these
    arrays: don't change them. `pts` and `duration` are in the
    clip's time base, `seconds` counts from the clip's first frame.
    """

    pts: int
    duration: int
    seconds: Fraction
    image: Image
    alpha: Alpha
    foreground: Image
    composite: NDArray[Any]
    fault: str = ""
    """What is wrong with it in the clip: then `alpha` is that of the frame before."""


def detail_of(image: Image) -> int:
    """The detail in which colours are estimated in a frame that is soon gone."""
    height, width = image.shape[:2]
    return max(DETAIL, int(height) // 4, int(width) // 4)
