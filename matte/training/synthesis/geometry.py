"""Windows onto pictures: scaled, turned, mirrored, placed so that they stay inside.

Borders are never mirrored: that makes patches which no photo has. A window is moved inwards or
enlarged instead; what still lies outside is marked as not valid.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Uint8Array

Random = np.random.Generator
Sides = tuple[bool, bool, bool, bool]  # top, bottom, left, right

EVERY_SIDE: Sides = (True, True, True, True)
NO_SIDE: Sides = (False, False, False, False)
GREY = 128
MIN_LINEAR_SCALE = 0.75  # at a smaller scale, linear interpolation would skip pixels


@dataclass(frozen=True, slots=True)
class WindowTransform:
    """The scale, rotation, mirroring and stretch with which a window shows its source.

    `scale` is in pixels of the window per pixel of the source, the rotation in degrees; the stretch
    is how much wider than high the source becomes.
    """

    scale: float = 1.0
    degrees: float = 0.0
    mirrored: bool = False
    stretch: float = 1.0

    def matrix(self) -> NDArray[np.float64]:
        """Return the matrix (2, 2) from steps in the source to steps in the window, as x, y."""
        angle = np.deg2rad(self.degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        wide, mirror = np.sqrt(self.stretch), -1.0 if self.mirrored else 1.0
        matrix: NDArray[np.float64] = self.scale * turn @ np.diag([mirror * wide, 1 / wide])
        return matrix


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of a source, scaled and turned as a sample shows it.

    `move` (2, 3) takes the source's x, y to the window's; `box` holds the rows and columns of the
    source that it needs; `inside` says that it lies in the source wholly.
    """

    move: NDArray[np.float64]
    height: int
    width: int
    scale: float
    box: tuple[slice, slice]
    inside: bool


def random_transform(
    random: Random, scales: tuple[float, float], degrees: float, plain: float = 0.0
) -> WindowTransform:
    """Draw a transform with a scale between the two, even in its logarithm.

    With probability `plain` only mirrored or not, which keeps the source's sharpness and noise.
    """
    mirrored = bool(random.random() < 0.5)
    if random.random() < plain:
        return WindowTransform(mirrored=mirrored)
    low, high = np.log(scales)
    return WindowTransform(
        scale=float(np.exp(random.uniform(low, high))),
        degrees=float(random.uniform(-degrees, degrees)) if random.random() < 0.6 else 0.0,
        mirrored=mirrored,
        stretch=float(np.exp(random.uniform(-0.15, 0.15))),
    )


def place_window(
    frame: tuple[int, ...],
    size: tuple[int, int],
    centre: tuple[float, float],
    turn: WindowTransform,
    closed: Sides = EVERY_SIDE,
    enlarge: float = 3.0,
) -> Window:
    """Place a window of `size` (height, width) around the source's point `centre` (x, y).

    It is moved so as not to look over the `closed` sides of the source, `frame` (height, width),
    and if it is too large for that, the source is enlarged, up to `enlarge` times.
    """
    height, width = frame[:2]
    half = np.array([size[1], size[0]]) / 2
    matrix = turn.matrix()
    reach = np.abs(np.linalg.inv(matrix)) @ half
    sides = ((closed[2], closed[3], width), (closed[0], closed[1], height))
    needed = [2 * r / length for r, (a, b, length) in zip(reach, sides, strict=True) if a and b]
    # A hair more than needed, so that rounding leaves nothing outside.
    more = min(enlarge, max([1.0, *(n * 1.001 for n in needed if n > 1)]))
    matrix, reach = matrix * more, reach / more
    place = [_clamp_centre(c, r, *side) for c, r, side in zip(centre, reach, sides, strict=True)]
    shift = half - 0.5 - matrix @ np.array(place)
    if turn == WindowTransform(mirrored=turn.mirrored) and more == 1.0:
        shift = np.rint(shift)  # whole pixels: nothing is interpolated
    x, y = place
    box = (_needed_pixels(y, reach[1], height), _needed_pixels(x, reach[0], width))
    inside = (
        x - reach[0] >= -0.51
        and x + reach[0] <= width - 0.49
        and y - reach[1] >= -0.51
        and y + reach[1] <= height - 0.49
    )
    return Window(np.column_stack([matrix, shift]), *size, turn.scale * more, box, bool(inside))


def sample_window(source: Uint8Array, view: Window, outside: int | None = None) -> Uint8Array:
    """Return the window's pixels of `source` (H, W) or (H, W, 3).

    Around the source they are `outside`, or without one the nearest pixel's.
    """
    part = source[view.box]
    rows, columns = view.box
    offset = np.array([columns.start, rows.start], np.float64)
    matrix, shift = view.move[:, :2], view.move[:, 2]
    shift = shift + matrix @ offset
    if view.scale < MIN_LINEAR_SCALE:
        height, width = part.shape[:2]
        h, w = max(1, round(height * view.scale)), max(1, round(width * view.scale))
        part = np.asarray(cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
        # x = (x' + ½) · width / w − ½
        ratio = np.array([width / w, height / h])
        shift = shift + matrix @ (ratio / 2 - 0.5)
        matrix = matrix * ratio
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(
            part,
            np.column_stack([matrix, shift]),
            (view.width, view.height),
            flags=cv2.INTER_LINEAR,
            borderMode=border,
            borderValue=(outside or 0,) * 3,
        ),
        np.uint8,
    )


def valid_pixels(view: Window, frame: tuple[int, ...]) -> Uint8Array:
    """Return a map (height, width): 1 where the window shows the source, 0 beyond its frame."""
    if view.inside:
        return np.ones((view.height, view.width), np.uint8)
    ones = np.ones(frame[:2], np.uint8)
    there = cv2.warpAffine(ones, view.move, (view.width, view.height), flags=cv2.INTER_NEAREST)
    # One pixel less: the border is mixed with what lies outside.
    return np.asarray(cv2.erode(there, np.ones((3, 3), np.uint8)), np.uint8)


def cropped_sides(alpha: Uint8Array) -> Sides:
    """Return the sides at which the subject is cut off by the frame of its alpha."""
    return (
        bool((alpha[0] > 8).any()),
        bool((alpha[-1] > 8).any()),
        bool((alpha[:, 0] > 8).any()),
        bool((alpha[:, -1] > 8).any()),
    )


def _clamp_centre(centre: float, reach: float, low: bool, high: bool, length: int) -> float:
    """Return the coordinate nearest to `centre` at which `reach` stays within the closed ends."""
    first = reach - 0.5 if low else -np.inf
    last = length - 0.5 - reach if high else np.inf
    if first > last:
        return (length - 1) / 2
    return float(min(max(centre, first), last))


def _needed_pixels(centre: float, reach: float, length: int) -> slice:
    """Return the pixels within reach of the centre and two more, at least one."""
    start = min(max(0, int(np.floor(centre - reach)) - 2), length - 1)
    return slice(start, max(start + 1, min(length, int(np.ceil(centre + reach)) + 3)))
