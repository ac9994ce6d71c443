"""A camera's frames through a line as they come: those that come too late are left out."""

import warnings
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.clips.frames import detail_of
from matte.clips.matting import FrameMatter
from matte.compositing.blend import blend_over
from matte.compositing.composer import Composer
from matte.compositing.foreground import estimate_foreground
from matte.configs.loader import MergedSettings, preset_names, with_preset, with_video_refiner
from matte.errors import MatteError, MatteWarning, SettingError
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.pipeline.build import build
from matte.pipeline.run import Pipeline

SQUARE, LIGHT, DARK = 16, 200, 150  # the board behind what is transparent


@dataclass(slots=True, eq=False)
class Choice:
    """A background that can be chosen, and what it is called.

    `seen` is for how many seconds it was: films stand still while they are not.
    """

    name: str
    composer: Composer
    seen: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """A camera's frame, the alpha made for it, and the two put together.

    `image` is the shot's, mirrored if that was asked. `composite` is RGBA if there is no
    background; `shown` is RGB in any case, then on a checkered board.
    """

    shot: CameraFrame
    image: Image
    alpha: Alpha
    composite: NDArray[Any]
    shown: Image


class Live:
    """Mattes what a camera sees, within a `with` block; what it does can be changed meanwhile.

    Each frame is the newest when it is taken, and is composed with the alpha made for it. Another
    preset is built beside, and takes over when it is ready.
    """

    def __init__(
        self, newest: CameraWatcher, merged: MergedSettings, grounds: Sequence[Choice]
    ) -> None:
        self.mirrored = False
        self._newest = newest
        self._grounds = deque(grounds)
        self._merged = _in_time(merged)
        self._pipeline = build(with_video_refiner(merged))
        self._matter: FrameMatter | None = None
        self._said: set[str] = set()
        self._image: Image | None = None
        self._seconds = Fraction(0)
        self._builder = ThreadPoolExecutor(1, "preset")
        self._coming: tuple[MergedSettings, Future[Pipeline]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._builder.shutdown(cancel_futures=True)

    @property
    def over(self) -> bool:
        """Whether the camera has ended, and all it gave was taken."""
        return self._newest.ended

    @property
    def dropped(self) -> int:
        """How many frames came too late to be seen."""
        return self._newest.dropped

    @property
    def ground(self) -> str:
        """What the background is called."""
        return self._grounds[0].name

    @property
    def preset(self) -> str:
        """The preset, and the one that is being built, if one is."""
        return self._merged.preset + (f" → {self._coming[0].preset}" if self._coming else "")

    def next_ground(self) -> None:
        """Takes the next background."""
        self._grounds.rotate(-1)

    def mirror(self) -> None:
        """Turns frames left to right from now on, or no more."""
        self.mirrored = not self.mirrored
        self._matter = None  # frames before were seen from another side

    def next_preset(self) -> None:
        """Begins to build the next preset's line."""
        now = self._coming[0].preset if self._coming else self._merged.preset
        names = preset_names()
        wanted = _in_time(with_preset(self._merged, names[(names.index(now) + 1) % len(names)]))
        if self._coming is not None:
            self._coming[1].cancel()
        self._coming = wanted, self._builder.submit(self._ready, wanted, self._image)

    def frame(self, patience: float) -> LiveFrame | None:
        """The camera's newest frame; None if none comes within `patience` seconds."""
        self._change()
        shot = self._newest.fetch(patience)
        if shot is None:
            return None
        image = shot.pixels
        if self.mirrored:
            image = Image(np.asarray(cv2.flip(image, 1)))
        if self._matter is None:
            self._pipeline.memory.check(image)
            size = image.shape[0], image.shape[1]
            self._matter = FrameMatter(self._pipeline.line, self._merged.config, size)
        self._image = image
        looked = self._matter.look(image)
        alpha = self._matter.steady(looked, self._matter.refine(looked))
        assert alpha is not None  # what shows it a frame later was refused
        self._tell(self._matter)
        foreground = estimate_foreground(image, alpha, detail=detail_of(image))
        ground = self._grounds[0]
        ground.seen += shot.seconds - self._seconds
        self._seconds = shot.seconds
        composite = ground.composer.compose(image, foreground, alpha, ground.seen)
        shown = Image(composite)
        if composite.shape[2] == 4:
            shown = blend_over(foreground, alpha, _board(*alpha.shape), "srgb")
        return LiveFrame(shot, image, alpha, composite, shown)

    def _ready(self, merged: MergedSettings, image: Image | None) -> Pipeline:
        """The line, which has seen a frame already: the first takes long."""
        pipeline = build(with_video_refiner(merged))
        if image is not None:
            pipeline.memory.check(image)
            matter = FrameMatter(pipeline.line, merged.config, (image.shape[0], image.shape[1]))
            matter.refine(matter.look(image))
        return pipeline

    def _change(self) -> None:
        """Takes the line that was asked for, if it is ready."""
        if self._coming is None or not self._coming[1].done():
            return
        (merged, built), self._coming = self._coming, None
        try:
            self._pipeline = built.result()
        except MatteError as error:
            text = f"preset {merged.preset} can't be had: {error}"
            warnings.warn(text, MatteWarning, stacklevel=3)
            return
        self._merged, self._matter = merged, None

    def _tell(self, matter: FrameMatter) -> None:
        for reason in matter.doubts.keys() - self._said:
            self._said.add(reason)
            text = f"{reason}: such frames' mattes are MODNet's"
            warnings.warn(text, MatteWarning, stacklevel=3)


def _in_time(merged: MergedSettings) -> MergedSettings:
    if merged.config.video.temporal == "ofd":
        raise SettingError(
            "temporal = 'ofd' knows a frame's alpha only a frame later", "give flow or off"
        )
    return merged


def _board(height: int, width: int) -> Image:
    """Light and dark squares."""
    rows, columns = np.arange(height) // SQUARE, np.arange(width) // SQUARE
    light = (rows[:, None] + columns) % 2 == 0
    grey = np.where(light, LIGHT, DARK).astype(np.uint8)
    return Image(np.repeat(grey[:, :, None], 3, axis=2))
