"""A camera's frames matted as they come; when it is faster than the line, frames are dropped."""

import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.clips.following.choices import TimedChoice, settings_choices
from matte.clips.following.follower import SubjectFollower
from matte.clips.frames import MattedFrame
from matte.clips.matting import NO_MASK, Matter
from matte.clips.steps import open_composing, open_matter
from matte.compositing.blend import blend_over
from matte.compositing.composer import Composer
from matte.configs.lengths import Length
from matte.configs.loader import MergedSettings, preset_names, with_preset
from matte.errors import MatteError, MatteWarning, SettingError
from matte.gpu.choice import DevicePlan, plan_device
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.pipeline.run import BuiltPipeline
from matte.pipeline.timing import Stopwatch
from matte.segmentation.subjects import SubjectChoice

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


class LiveMatting:
    """Mattes a camera's frames, within a `with` block; its settings can be changed meanwhile.

    Each frame is the camera's newest, and is composed with its own alpha. Another preset's pipeline
    is built in another thread, and takes over when it is ready.
    """

    def __init__(
        self,
        newest: CameraWatcher,
        merged: MergedSettings,
        build: Callable[[MergedSettings], BuiltPipeline],
        backgrounds: Sequence[LiveBackground],
    ) -> None:
        """Begin with the first of the backgrounds.

        `build` returns the pipeline that video has with some settings: with these at once, with
        another preset's when that is chosen.
        """
        self.mirrored = False
        self._newest = newest
        self._backgrounds = deque(backgrounds)
        self._build = build
        self._merged = _refuse_delay(merged)
        self._pipeline = build(merged)
        self._matter: Matter | None = None
        self._plan: DevicePlan | None = None
        self._follower: SubjectFollower | None = None
        self._warned: set[str] = set()
        self._image: Image | None = None
        self._seconds = Fraction(0)
        self._builder = ThreadPoolExecutor(1, "preset")
        self._coming: tuple[MergedSettings, Future[BuiltPipeline]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._builder.shutdown(cancel_futures=True)

    @property
    def ended(self) -> bool:
        """Whether the camera has ended, and next_frame() has returned all of its frames."""
        return self._newest.ended

    @property
    def dropped_frames(self) -> int:
        """How many frames came too late to be shown."""
        return self._newest.dropped

    @property
    def background_name(self) -> str:
        """The name of the current background."""
        return self._backgrounds[0].name

    @property
    def preset_title(self) -> str:
        """The preset's name, followed by that of the one that is being built, if one is."""
        return self._merged.preset + (f" → {self._coming[0].preset}" if self._coming else "")

    def next_background(self) -> None:
        """Go on to the next background."""
        self._backgrounds.rotate(-1)

    def toggle_mirror(self) -> None:
        """Turn frames left to right from now on, or no longer."""
        self.mirrored = not self.mirrored
        self._matter = None  # what it remembers is the other way round

    def choose_at(self, x: float, y: float) -> None:
        """Follow whoever is at a place, given as shares of the picture's width and height."""
        place = Length(100 * x, percent=True), Length(100 * y, percent=True)
        self._choose(TimedChoice(SubjectChoice("at", numbers=place)))

    def choose_everybody(self) -> None:
        """Keep everybody again."""
        self._choose(TimedChoice(None))

    def _choose(self, choice: TimedChoice) -> None:
        """Follow whom a choice means, from the next frame on; raise if the line makes no mask."""
        if self._pipeline.line.segmenter is None:
            raise SettingError(NO_MASK, "begin without --modnet")
        if self._follower is None:
            self._follower, self._matter = SubjectFollower([]), None
        self._follower.choose(choice)

    def next_preset(self) -> None:
        """Start to build the next preset's pipeline in a thread; the first follows the last."""
        now = self._coming[0].preset if self._coming else self._merged.preset
        names = preset_names()
        following = names[(names.index(now) + 1) % len(names)]
        wanted = _refuse_delay(with_preset(self._merged, following))
        if self._coming is not None:
            self._coming[1].cancel()
        self._coming = wanted, self._builder.submit(self._build_warmed_up, wanted, self._image)

    def next_frame(self, timeout: float) -> LiveFrame | None:
        """Return the camera's newest frame, matted; None if none comes within `timeout` seconds."""
        self._switch_preset()
        shot = self._newest.fetch(timeout)
        if shot is None:
            return None
        image = shot.pixels
        if self.mirrored:
            image = Image(np.asarray(cv2.flip(image, 1)))
        if self._matter is None:
            if self._follower is None:
                choices = settings_choices(self._merged.config, image.shape[:2])
                self._follower = SubjectFollower(choices) if choices else None
            # Whom one follows is found again by his looks, turned round or by another network.
            self._matter, self._plan = _matter_for(
                image, self._pipeline, self._merged, self._follower
            )
        self._image = image
        (segmented,) = self._matter.segment_all([image], [float(shot.seconds)])
        alpha = self._matter.stabilise(segmented, self._matter.refine(segmented))
        assert alpha is not None  # a stabiliser that is late was refused
        self._warn_of_doubts(self._matter)
        background = self._backgrounds[0]
        background.elapsed += shot.seconds - self._seconds
        self._seconds = shot.seconds
        composing = open_composing(background.composer, Stopwatch(), True, self._plan)
        matted = MattedFrame(image, alpha, segmented.planes)
        (found,) = composing.compose_all([matted], [background.elapsed])
        composite, shown = found.composite, Image(found.composite)
        if composite.shape[2] == 4:
            board = _chequered_board(*found.alpha.shape)
            shown = blend_over(found.foreground, found.alpha, board, "srgb")
        return LiveFrame(shot, image, found.alpha, composite, shown)

    def _build_warmed_up(self, merged: MergedSettings, image: Image | None) -> BuiltPipeline:
        """Return a pipeline that has matted a frame already, as the first one takes long."""
        pipeline = self._build(merged)
        if image is not None:
            matter, _ = _matter_for(image, pipeline, merged)
            matter.refine(*matter.segment_all([image], [0.0]))
        return pipeline

    def _switch_preset(self) -> None:
        """Switch to the pipeline of the preset that was chosen, once it is built."""
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

    def _warn_of_doubts(self, matter: Matter) -> None:
        """Warn once of each reason for which another line took over."""
        for reason in matter.doubts.keys() - self._warned:
            self._warned.add(reason)
            text = f"{reason}: such frames' mattes are MODNet's"
            warnings.warn(text, MatteWarning, stacklevel=3)


def _matter_for(
    image: Image,
    pipeline: BuiltPipeline,
    merged: MergedSettings,
    follower: SubjectFollower | None = None,
) -> tuple[Matter, DevicePlan | None]:
    """Return what mattes frames of an image's size, and the device that it does so on, if any.

    Raises if memory is too small for them.
    """
    pipeline.memory.check_image(image)
    size, config = (image.shape[0], image.shape[1]), merged.config
    plan = None
    if follower is None:
        plan = plan_device(pipeline.line, config, size, pipeline.memory)
    if plan is not None:
        plan = replace(plan, batch=1)  # a camera's frames come one by one
    return open_matter(pipeline.line, config, size, Stopwatch(), plan, follower, live=True), plan


def _refuse_delay(merged: MergedSettings) -> MergedSettings:
    """Return the settings; raise SettingError if they make alphas come a frame late."""
    if merged.config.video.temporal == "ofd":
        raise SettingError(
            "--temporal ofd finds a frame's alpha only a frame later, too late for a camera",
            "use --temporal flow or off",
        )
    return merged


def _chequered_board(height: int, width: int) -> Image:
    """Return a picture of light and dark squares."""
    rows = np.arange(height) // BOARD_SQUARE_PIXELS
    columns = np.arange(width) // BOARD_SQUARE_PIXELS
    light = (rows[:, None] + columns) % 2 == 0
    grey = np.where(light, BOARD_LIGHT, BOARD_DARK).astype(np.uint8)
    return Image(np.repeat(grey[:, :, None], 3, axis=2))
