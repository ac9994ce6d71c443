"""A camera's frame on its way, and as it is shown on one of several backgrounds."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.clips.frames import MattedFrame
from matte.clips.matting import Matter
from matte.clips.passes import EditorPasses
from matte.clips.steps import open_composing
from matte.compositing.blend import blend_over
from matte.compositing.composer import Composer
from matte.gpu.choice import DevicePlan
from matte.media.video.camera_watcher import CameraFrame
from matte.pipeline.timing import Stopwatch

# The board behind what is transparent: its squares in pixels, and their greys.
BOARD_SQUARE_PIXELS, BOARD_LIGHT, BOARD_DARK = 16, 200, 150


@dataclass(slots=True, eq=False)
class LiveBackground:
    """A background that can be chosen, and its name.

    `elapsed` is for how many seconds it was shown: films stand still while they are not.
    """

    name: str
    composer: Composer
    elapsed: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """A camera's frame, its alpha, and the subject on its background.

    `image` is the shot's, mirrored if that was asked. `composite` is RGBA if there is no
    background; `shown` is RGB in any case, then on a chequered board.
    """

    shot: CameraFrame
    image: Image
    alpha: Alpha
    composite: NDArray[Any]
    shown: Image


@dataclass(slots=True, eq=False)
class FrameInWork:
    """A camera's frame on its way through the steps, with what mattes it."""

    shot: CameraFrame
    image: Image
    matter: Matter
    plan: DevicePlan | None
    passes: EditorPasses
    segmented: Any
    alpha: Any = None


def compose_live(frame: FrameInWork, background: LiveBackground) -> LiveFrame:
    """Return a matted frame on a background, at the time that this has been shown for."""
    composing = open_composing(background.composer, Stopwatch(), True, frame.plan)
    matted = MattedFrame(frame.image, frame.alpha, frame.segmented.planes)
    matted = frame.passes.apply(matted)
    (found,) = composing.compose_all([matted], [background.elapsed])
    composite, shown = found.composite, Image(found.composite)
    if composite.shape[2] == 4:
        board = _chequered_board(*found.alpha.shape)
        shown = blend_over(found.foreground, found.alpha, board, "srgb")
    return LiveFrame(frame.shot, frame.image, found.alpha, composite, shown)


def _chequered_board(height: int, width: int) -> Image:
    """Return a picture of light and dark squares."""
    rows = np.arange(height) // BOARD_SQUARE_PIXELS
    columns = np.arange(width) // BOARD_SQUARE_PIXELS
    light = (rows[:, None] + columns) % 2 == 0
    grey = np.where(light, BOARD_LIGHT, BOARD_DARK).astype(np.uint8)
    return Image(np.repeat(grey[:, :, None], 3, axis=2))
