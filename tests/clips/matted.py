"""Frames of small clips as a run gives them, without a run."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.clips.frames import VideoFrame
from matte.imaging.bit_depth import quantise_alpha
from matte.media.video.clip import Clip, Frame, open_clip


def alpha(at: int) -> Alpha:
    y, x = np.mgrid[:48, :64]
    radius = np.hypot(y - 24, x - 22 - at)
    return Alpha(np.clip((18 - radius) / 6 + 0.5, 0, 1).astype(np.float32))


def frames(found: Clip, start: float = 0, cut_out: bool = False) -> list[VideoFrame]:
    """What a run might give: the composite is the picture upside down."""
    made = []
    for at, frame in enumerate(found.frames(start)):
        assert isinstance(frame, Frame)
        composite: NDArray[Any] = np.ascontiguousarray(frame.pixels[::-1])
        if cut_out:
            composite = np.dstack([composite, quantise_alpha(alpha(at), composite.dtype.type)])
        foreground = Image(np.where(alpha(at)[:, :, None] > 0, frame.pixels, 0))
        made.append(
            VideoFrame(
                frame.pts,
                frame.duration,
                found.seconds(frame.pts),
                frame.pixels,
                alpha(at),
                foreground,
                composite,
            )
        )
    return made


def pictures(path: Path) -> list[NDArray[Any]]:
    return [frame.pixels for frame in open_clip(path).frames() if isinstance(frame, Frame)]
