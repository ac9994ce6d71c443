"""A frame of video on its way through the steps, and in the end."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.clips.following.follower import Followed
from matte.configs.times import format_time
from matte.media.video.clip import BrokenFrame, Frame

# Long side, in pixels, at which colours are estimated in frames, at least: that costs a fifth of
# what it does for photos at 720p, for a quarter of a level.
MIN_COLOUR_SIDE = 240


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A frame, upright, with its alpha and the subject on its background.

    `image` and `foreground` are RGB (H, W, 3), uint8 or, of deep video, uint16; `composite` is RGB
    in the same depth, or RGBA if the background is transparent. Later frames build on these
    arrays: don't change them. `pts` and `duration` are in the clip's time base, `seconds` counts
    from the clip's first frame.
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
    sureness: float | None = None
    """How surely the chosen subjects were followed, 0 … 1; None where all are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class MattedFrame:
    """A frame and its alpha, still to be composed.

    Where frames are matted on a GPU, alpha is there; so is `planes`, the frame, unless it has to be
    uploaded.
    """

    image: Image
    alpha: Any
    planes: Any = None


@dataclass(slots=True, eq=False)
class FrameInProgress:
    """A frame on its way through the steps, each of which adds what it finds.

    A frame that is broken in the clip is never `segmented`. It has the image and the alpha of the
    frame before; if none came before, those of the first good one, and no image until then. Where
    frames are matted on a GPU, `planes` is the frame there, and alpha is there, too.
    """

    frame: Frame | BrokenFrame
    image: Image | None
    segmented: Any = None  # what the matter's segment_all() returns
    alpha: Any = None
    planes: Any = None
    followed: Followed | None = None

    @property
    def matted(self) -> MattedFrame:
        """The frame with its alpha, once that is found."""
        assert self.image is not None
        return MattedFrame(self.image, self.alpha, self.planes)


@dataclass(frozen=True, slots=True)
class FrameFault:
    """What is wrong with a frame of the clip, and when it would be shown."""

    seconds: Fraction
    what: str

    def __str__(self) -> str:
        return f"{format_time(float(self.seconds))} {self.what}"


def colour_estimation_side(image: Image) -> int:
    """Return the long side, in pixels, at which a frame's foreground colours are estimated."""
    height, width = image.shape[:2]
    return max(MIN_COLOUR_SIDE, int(height) // 4, int(width) // 4)
