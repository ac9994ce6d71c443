"""What is taken from frames before they are composed: a screen and its light, whole regions."""

import json
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha
from matte.clips.frames import MattedFrame
from matte.compositing.screen_key import Screen, ScreenColour, key_screen, remove_spill
from matte.configs.lengths import Length, parse_length
from matte.errors import MatteWarning, PictureError, SettingError
from matte.imaging.resizing import resize
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.pictures import read_alpha

POLYGON_STEPS = 4  # of a pixel: how finely a polygon's edge is drawn
MAX_POLYGON_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class EditorPasses:
    """What is changed in frames that are matted, before their colours are estimated.

    `screen` is the colour of a screen that the clip was shot in front of: alpha is mended by it,
    and its light is taken from the subject; by `despill` that alone. `garbage_matte` (H, W) is the
    highest alpha that each pixel may have.
    """

    screen: Screen = "none"
    despill: ScreenColour | None = None
    garbage_matte: Alpha | None = None

    @property
    def are_none(self) -> bool:
        """Whether nothing is changed."""
        return not self.change_colours and self.garbage_matte is None

    @property
    def change_colours(self) -> bool:
        """Whether the subject gets other colours than the frame's."""
        return self.screen != "none" or self.despill is not None

    def apply(self, frame: MattedFrame) -> MattedFrame:
        """Return the frame with its passes; its arrays are on the processor."""
        if self.screen != "none":
            alpha = key_screen(frame.image, frame.alpha, self.screen)
            if alpha is frame.alpha:
                told = f"in some frames there is no {self.screen} screen: they stay as they are"
                warnings.warn(told, MatteWarning, stacklevel=2)
            else:
                unspilt = remove_spill(frame.image, self.screen)
                frame = replace(frame, image=unspilt, alpha=alpha)
        if self.despill is not None:
            frame = replace(frame, image=remove_spill(frame.image, self.despill))
        if self.garbage_matte is not None:
            frame = replace(frame, alpha=Alpha(np.minimum(frame.alpha, self.garbage_matte)))
        return frame


NO_PASSES = EditorPasses()


@dataclass(frozen=True, slots=True)
class PassSettings:
    """The passes that are wanted; a `garbage_matte` is a file, a mask or polygons."""

    despill: ScreenColour | None = None
    garbage_matte: Path | None = None

    def prepare(self, shape: tuple[int, int], screen: Screen) -> EditorPasses:
        """Return the passes for frames of this height and width; a file is read now.

        `screen` is that of the settings.
        """
        matte = None
        if self.garbage_matte is not None:
            matte = read_garbage_matte(self.garbage_matte, shape)
        return EditorPasses(screen, self.despill, matte)


NO_PASS_SETTINGS = PassSettings()


def read_garbage_matte(
    file: Path, shape: tuple[int, int], max_pixels: int = DEFAULT_MAX_PIXELS
) -> Alpha:
    """Return the highest alpha of each pixel (height, width `shape`), from a mask or polygons.

    A mask is white where alpha stays. A .json file has a list of points, or of such lists:
    `[[0, "10%"], [640, "10%"], [640, 360]]`; inside them alpha stays.
    """
    if file.suffix.lower() == ".json":
        return _draw_polygons(_read_polygons(file), shape)
    mask = read_alpha(file, max_pixels, kind="garbage matte")
    return Alpha(np.clip(resize(mask, *shape), 0, 1))


def _read_polygons(file: Path) -> list[list[tuple[Length, Length]]]:
    """Return the polygons of a JSON file; raise PictureError if it holds none."""
    try:
        with file.open("rb") as opened:
            found = json.loads(opened.read(MAX_POLYGON_BYTES))
    except OSError as error:
        raise PictureError(f"can't read {file} ({error.strerror})", "name a JSON file") from error
    except (ValueError, RecursionError) as error:
        raise PictureError(f"{file} is not JSON", str(error)) from error
    try:
        polygons = found if isinstance(found[0][0], list) else [found]
        read = [[(_length(x), _length(y)) for x, y in polygon] for polygon in polygons]
    except (TypeError, ValueError, KeyError, IndexError, SettingError) as error:
        remedy = 'write [[0, 0], ["50%", 0], ["50%", "100%"]]'
        raise PictureError(f"{file} holds no polygons", remedy) from error
    if any(len(polygon) < 3 for polygon in read):
        raise PictureError(f"{file} holds a polygon with fewer than 3 points", "add some")
    return read


def _length(value: Any) -> Length:
    """Return a coordinate: a number of pixels, or the text of a percentage."""
    if isinstance(value, bool):
        raise TypeError(value)
    return parse_length(value if isinstance(value, str) else str(value))


def _draw_polygons(polygons: list[list[tuple[Length, Length]]], shape: tuple[int, int]) -> Alpha:
    """Return 1 inside of the polygons and 0 outside (H, W), with soft edges."""
    height, width = shape
    canvas: NDArray[np.uint8] = np.zeros((height * POLYGON_STEPS, width * POLYGON_STEPS), np.uint8)
    for polygon in polygons:
        points = [(x.pixels(width), y.pixels(height)) for x, y in polygon]
        corners = np.rint(np.array(points) * POLYGON_STEPS - 0.5).astype(np.int32)
        cv2.fillPoly(canvas, [corners], 1)
    small = cv2.resize(canvas.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return Alpha(np.asarray(small, np.float32))
