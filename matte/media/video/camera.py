"""Cameras by their names, and video files that play a camera."""

import os.path
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event

import numpy as np

from matte.arrays import Image
from matte.errors import SettingError
from matte.imaging.bit_depth import convert_depth
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.video.camera_watcher import Camera, CameraFrame
from matte.media.video.clip import BrokenFrame, open_clip
from matte.media.video.device_camera import DeviceCamera


def open_camera(
    name: str,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    loop: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Camera:
    """Open the camera of that number or name, or a video file in place of a camera.

    `size` (width, height) and `fps` are asked of cameras, clips have their own; a clip may `loop`.
    Raises PictureError if there is none, or it can't be opened.
    """
    if _is_device(name):
        return DeviceCamera(name, size, fps)
    if size is not None or fps is not None:
        raise SettingError("a file has its own size and rate", "leave --size and --fps out")
    return ClipCamera(Path(name), loop, max_pixels)


def _is_device(name: str) -> bool:
    """Return whether the name is a camera's, rather than a file's."""
    if os.path.isfile(name):  # noqa: PTH113  # False where pathlib raises: loops, long names
        return False
    if sys.platform in ("darwin", "win32") and not re.search(r"\.[A-Za-z]\w*$", name):
        return True  # there, cameras have names
    return name.isdecimal() or name.startswith("/dev/")


class ClipCamera:
    """A video file that is played by the clock, as if a camera took it."""

    def __init__(
        self, path: Path, loop: bool = False, max_pixels: int = DEFAULT_MAX_PIXELS
    ) -> None:
        self._clip = open_clip(path, max_pixels)
        self._loops = loop
        self.loop_seconds: Fraction | None = None
        """After how many seconds it is played again; None until then."""
        self.facts = replace(self._clip.facts, depth=8)

    def frames(self, stopped: Event) -> Iterator[CameraFrame]:
        """Yield the frames at their times; broken ones are left out."""
        began, number, loop_start = time.monotonic(), 0, Fraction(0)
        while True:
            end = loop_start
            for frame in self._clip.frames():
                if stopped.is_set():
                    return
                if isinstance(frame, BrokenFrame):
                    continue
                seconds = loop_start + self._clip.seconds(frame.pts)
                pixels = Image(convert_depth(frame.pixels, np.dtype(np.uint8)))
                if stopped.wait(max(0.0, began + float(seconds) - time.monotonic())):
                    return
                yield CameraFrame(number, seconds, time.monotonic(), pixels)
                number += 1
                end = max(end, loop_start + self._clip.seconds(frame.pts + frame.duration))
            if not self._loops or end == loop_start:
                return
            self.loop_seconds = self.loop_seconds or end
            loop_start = end
