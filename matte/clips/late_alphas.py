"""Stabilised alphas brought back to their frames, some of which come late or are broken."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from matte.clips.frames import FrameInProgress
from matte.clips.matting import Matter


def stabilise_frames(
    frames: Iterator[FrameInProgress], matter: Matter
) -> Iterator[FrameInProgress]:
    """Yield the frames in order, each with its stabilised alpha.

    A frame waits until the stabiliser has its alpha. A broken one gets the alpha of the frame
    before it, or that of the first good one if none came before.
    """
    waiting: deque[FrameInProgress] = deque()
    alpha: Any = None
    for frame in frames:
        if frame.segmented is None and alpha is not None and not waiting:
            frame.alpha = alpha
            yield frame
            continue
        waiting.append(frame)
        if frame.segmented is None:
            continue
        assert frame.alpha is not None
        stabilised = matter.stabilise(frame.segmented, frame.alpha)
        if stabilised is not None:
            alpha = stabilised
            yield from _release(waiting, alpha)
    while (last := matter.pending_alpha()) is not None:
        yield from _release(waiting, last)


def _release(waiting: deque[FrameInProgress], alpha: Any) -> Iterator[FrameInProgress]:
    """Yield the first good frame that waits, with its alpha, and the broken ones around it.

    They have the same alpha: those behind it, and those that have no frame before them.
    """
    good = next(frame for frame in waiting if frame.segmented is not None)
    passed = False
    while waiting and (waiting[0].segmented is None or not passed):
        frame = waiting.popleft()
        passed = passed or frame is good
        frame.alpha, frame.segmented = alpha, None  # what was segmented is large
        frame.image = good.image if frame.image is None else frame.image
        yield frame
