"""The subject on a canvas of a given size: in the middle or standing, with or without a shadow."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, FloatArray, Image
from matte.compositing.composer import Composer, Ground
from matte.compositing.crop import subject_box
from matte.errors import SettingError
from matte.imaging.bit_depth import convert_depth

MAX_SIDE = 16_384  # pixels of a canvas
DEFAULT_FILL = 0.85
MIN_WEIGHT = 1e-4  # of alpha, below which a pixel has no colour of its own
Align = Literal["centre", "bottom"]
ShadowKind = Literal["contact", "drop"]
# Shares of the subject's longer side, and opacities.
DROP_OFFSET, DROP_BLUR, DROP_OPACITY = 0.02, 0.025, 0.35
CONTACT_HEIGHT, CONTACT_BLUR, CONTACT_OPACITY = 0.06, 0.012, 0.5


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow that the subject throws: on the ground below it, or on a wall behind it."""

    kind: ShadowKind
    opacity: float

    def __str__(self) -> str:
        return f"{self.kind}:{100 * self.opacity:g}%"


@dataclass(frozen=True, slots=True)
class Canvas:
    """A canvas: its size in pixels, and how the subject stands on it.

    `fill`: the share of width or height, whichever is reached first, that the subject takes.
    `align`: in the middle, or at the bottom with the same margin below as there is above.
    """

    width: int
    height: int
    fill: float = DEFAULT_FILL
    align: Align = "centre"
    shadow: Shadow | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise SettingError(f"a canvas of {self.width}x{self.height}", "give 2000x2000")
        if not 0.01 <= self.fill <= 1:
            raise SettingError(f"fill = {self.fill:.0%}", "give 1% … 100%")


def parse_canvas(size: str, fill: str, align: str, shadow: str) -> Canvas:
    """Return the canvas that texts name; an empty one means what is usual.

    >>> parse_canvas("2000x1500", "80%", "", "drop:20%").shadow
    Shadow(kind='drop', opacity=0.2)
    """
    if align not in ("", "centre", "bottom"):
        raise SettingError(f"align = {align[:40]!r}", "give centre or bottom")
    width, height = parse_canvas_size(size)
    return Canvas(
        width,
        height,
        parse_share(fill) if fill else DEFAULT_FILL,
        "bottom" if align == "bottom" else "centre",
        parse_shadow(shadow or "none"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class PlacedSubject:
    """A subject on its canvas: colours (H, W, 3) and alpha (H, W), and how it came there.

    `scale`: how much it was enlarged. `fill`: the share of width or height that it takes.
    """

    colours: Image
    alpha: Alpha
    scale: float
    fill: float


def parse_canvas_size(text: str) -> tuple[int, int]:
    """Return width and height that a text names, such as 2000x1500."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.strip().lower(), re.ASCII)
    if found is None:
        raise SettingError(
            f"{text[:40]!r} is no size of a canvas", "give pixels, such as 2000x2000"
        )
    return int(found[1]), int(found[2])


def parse_share(text: str) -> float:
    """Return the share that a percentage names.

    >>> parse_share("85%")
    0.85
    """
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)%", text.strip(), re.ASCII)
    if found is None or not 1 <= float(found[1]) <= 100:
        raise SettingError(f"{text[:40]!r} is no share", "give a percentage, such as 85%")
    return float(found[1]) / 100


def parse_shadow(text: str) -> Shadow | None:
    """Return the shadow that a text names: none, contact, drop, or with an opacity, drop:20%."""
    kind, _, opacity = text.strip().partition(":")
    usual = {"contact": CONTACT_OPACITY, "drop": DROP_OPACITY}
    if text.strip() == "none":
        return None
    if kind not in usual:
        raise SettingError(f"no shadow {text[:40]!r}", "give none, contact, drop or drop:20%")
    return Shadow(kind, parse_share(opacity) if opacity else usual[kind])  # type: ignore[arg-type]  # one of the two


def place_on_canvas(colours: Image, alpha: Alpha, canvas: Canvas) -> PlacedSubject:
    """Return the subject scaled and moved to its place on the canvas.

    Colours are weighted with alpha where they are scaled. Without a subject the whole picture is
    placed.
    """
    rows, columns = subject_box(alpha) or (slice(0, alpha.shape[0]), slice(0, alpha.shape[1]))
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    scale = min(canvas.fill * canvas.width / wide, canvas.fill * canvas.height / high)
    left = canvas.width / 2 - scale * (columns.start + columns.stop) / 2
    top = canvas.height / 2 - scale * (rows.start + rows.stop) / 2
    if canvas.align == "bottom":
        top = canvas.height * (1 + canvas.fill) / 2 - scale * rows.stop
    weights = _warped(np.asarray(alpha, np.float32), scale, left, top, canvas)
    weighted = _warped(colours.astype(np.float32) * alpha[:, :, None], scale, left, top, canvas)
    straight = weighted / np.maximum(weights, MIN_WEIGHT)[:, :, None]
    straight[weights < MIN_WEIGHT] = 0
    limit = np.iinfo(colours.dtype).max
    placed = Image(np.clip(np.rint(straight), 0, limit).astype(colours.dtype))
    fill = max(scale * wide / canvas.width, scale * high / canvas.height)
    return PlacedSubject(placed, Alpha(np.clip(weights, 0, 1)), scale, fill)


def _warped(
    values: FloatArray, scale: float, left: float, top: float, canvas: Canvas
) -> FloatArray:
    """Return values scaled, moved, and cut or padded with 0 to the canvas."""
    if scale < 1:  # averaged over areas first: a warp alone would skip pixels
        size = max(1, round(values.shape[1] * scale)), max(1, round(values.shape[0] * scale))
        values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
        scale = 1.0
    # Pixels' centres, not their corners, are what a warp maps.
    move = np.array([[scale, 0, left + (scale - 1) / 2], [0, scale, top + (scale - 1) / 2]])
    return np.asarray(
        cv2.warpAffine(values, move, (canvas.width, canvas.height), flags=cv2.INTER_CUBIC),
        np.float32,
    )


def shadow_of(alpha: Alpha, shadow: Shadow) -> FloatArray:
    """Return how much a subject's shadow darkens each pixel, 0 … 1, whatever is before it."""
    box = subject_box(alpha)
    if box is None:
        return np.zeros(alpha.shape, np.float32)
    rows, columns = box
    side = max(rows.stop - rows.start, columns.stop - columns.start)
    if shadow.kind == "drop":
        offset = DROP_OFFSET * side
        move = np.array([[1, 0, offset], [0, 1, offset]], np.float64)
        blur = DROP_BLUR * side
    else:
        # The subject lies flat on the ground, around the line that it stands on.
        squash = CONTACT_HEIGHT * side / (rows.stop - rows.start)
        middle = rows.stop - CONTACT_HEIGHT * side / 4
        centre = (rows.start + rows.stop) / 2
        move = np.array([[1, 0, 0], [0, squash, middle - squash * centre]], np.float64)
        blur = CONTACT_BLUR * side
    thrown = cv2.warpAffine(np.asarray(alpha, np.float32), move, alpha.shape[::-1])
    soft = cv2.GaussianBlur(thrown, (0, 0), max(0.3, blur))
    return np.asarray(np.clip(np.float32(shadow.opacity) * soft, 0, 1), np.float32)


class ShadowedGround:
    """A ground that a subject's shadow falls on."""

    def __init__(self, ground: Ground, shadow: Shadow) -> None:
        self._ground, self._shadow = ground, shadow

    def background_for(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
        """Return the ground, darkened by the shadow of the subject."""
        ground = convert_depth(self._ground.background_for(image, alpha, seconds), image.dtype)
        return darken(Image(ground), shadow_of(alpha, self._shadow))


def darken(ground: Image, shadow: FloatArray) -> Image:
    """Return a ground, or one pixel of a plain colour, with a shadow (H, W), 0 … 1, on it."""
    return Image(np.rint(ground * (1 - shadow[:, :, None])).astype(ground.dtype))


def compose_on_canvas(
    placed: PlacedSubject, composer: Composer, shadow: Shadow | None
) -> NDArray[Any]:
    """Return a placed subject on the composer's ground, or cut out, with its shadow."""
    colours, alpha = placed.colours, placed.alpha
    if shadow is not None and composer.ground is None:
        colours, alpha = cast_shadow(colours, alpha, shadow)
    elif shadow is not None and composer.ground is not None:
        composer = replace(composer, ground=ShadowedGround(composer.ground, shadow))
    return composer.compose(colours, colours, alpha)


def cast_shadow(colours: Image, alpha: Alpha, shadow: Shadow) -> tuple[Image, Alpha]:
    """Return colours and alpha of a cut-out with its shadow, which is black, behind it."""
    dark = (1 - alpha) * shadow_of(alpha, shadow)
    whole = np.clip(alpha + dark, 0, 1)
    share = alpha / np.maximum(whole, MIN_WEIGHT)
    darkened = np.rint(colours * share[:, :, None]).astype(colours.dtype)
    return Image(darkened), Alpha(whole.astype(np.float32))
