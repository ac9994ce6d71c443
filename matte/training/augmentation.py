"""Training samples: a picture and its label, changed at random and fitted into a square.

What is not picture (the letterbox's padding, the corners that a rotation lays bare) is grey in the
picture and 128 in the label, so that it never counts.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Image, Uint8Array
from matte.imaging.letterbox import letterbox
from matte.training.settings import AugmentationSettings

GREY = 128
Random = np.random.Generator


def letterbox_sample(
    picture: Uint8Array, label: Uint8Array, size: int
) -> tuple[Uint8Array, Uint8Array]:
    """Return the whole picture and label as inference sees them: at the top left of a square."""
    box = letterbox(Image(picture), size, size)
    square = np.full((size, size), UNKNOWN, np.uint8)
    square[: box.height, : box.width] = cv2.resize(
        label, (box.width, box.height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return np.rint(box.pixels * 255).astype(np.uint8), square


def augment(
    picture: Uint8Array,
    label: Uint8Array,
    size: tuple[int, int],
    settings: AugmentationSettings,
    random: Random,
) -> tuple[Uint8Array, Uint8Array]:
    """Return a randomly changed picture (*size, 3) and its label; `size` is height and width."""
    picture, label = _crop_randomly(picture, label, settings, random)
    picture, label, inside = _place_randomly(picture, label, size, settings, random)
    if random.random() < settings.dye:
        picture = _dye_part(picture, label, random)
    picture = _change_light(picture, settings, random)
    picture[~inside] = GREY
    return picture, label


def compose_cutout(
    cutout: Uint8Array, alpha: Uint8Array, background: Uint8Array, random: Random
) -> tuple[Uint8Array, Uint8Array]:
    """Put a cut-out somewhere on a background, often large and cut off below; also its label."""
    canvas = _random_window(background, random)
    height, width = canvas.shape[:2]
    scale = height * random.uniform(0.6, 2.2) / cutout.shape[0]
    # A subject wider than the picture would be a wall of cloth.
    scale = min(scale, 1.3 * width / cutout.shape[1])
    rgba = _resize(np.dstack([cutout, alpha]), scale)
    sub_height, sub_width = rgba.shape[:2]
    x = (
        round(random.uniform(-0.25, 1.25) * (width - sub_width))
        if sub_width < width
        else round((width - sub_width) * random.uniform(0.2, 0.8))
    )
    # The head stays inside; what is too tall is cut off below.
    y = round(height * random.uniform(0.02, 0.25))
    if y + sub_height < height:
        y = height - sub_height + round(random.uniform(-0.1, 0.1) * sub_height)
    move = np.array([[1, 0, x], [0, 1, y]], np.float64)
    placed = cv2.warpAffine(rgba, move, (width, height), flags=cv2.INTER_NEAREST)
    cover = placed[:, :, 3:].astype(np.float32) / 255
    mixed = placed[:, :, :3] * cover + canvas * (1 - cover)
    label = np.full((height, width), UNKNOWN, np.uint8)
    label[placed[:, :, 3] < 64] = BACKGROUND
    label[placed[:, :, 3] >= 192] = SUBJECT
    return np.rint(mixed).astype(np.uint8), label


def plain_ground(random: Random) -> Uint8Array:
    """Draw a wall without anything on it, perhaps shaded: plain grey must not be a subject.

    Every fourth has a texture, from clouds to noise of single pixels.
    """
    height, width = 64, 64
    first = random.uniform(0, 255, 3 if random.random() < 0.6 else 1) * np.ones(3)
    if random.random() < 0.2:
        first[:] = GREY
    change = random.uniform(-1, 1, 3) * random.choice([0, 10, 60])
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle = random.uniform(0, 2 * np.pi)
    slope = (x * np.cos(angle) + y * np.sin(angle))[:, :, None]
    wall = first + change * slope
    if random.random() < 0.25:
        side = int(random.choice([8, 32, 128, 384]))
        texture = random.normal(0, random.uniform(5, 90), (side, side, int(random.choice([1, 3]))))
        wall = cv2.resize(wall, (384, 384)) + cv2.resize(texture, (384, 384)).reshape(384, 384, -1)
    return np.asarray(wall.clip(0, 255), np.uint8)


def _random_window(background: Uint8Array, random: Random) -> Uint8Array:
    """Return a part of a background, about 360 high, in any of the usual proportions."""
    height, width = background.shape[:2]
    proportion = random.choice([2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2])
    part = random.uniform(0.6, 1)
    h = min(height, width / proportion) * part
    w = h * proportion
    x, y = random.uniform(0, width - w), random.uniform(0, height - h)
    window = background[int(y) : int(y + h) + 1, int(x) : int(x + w) + 1]
    return _resize(window, 360 / window.shape[0])


def _resize(picture: Uint8Array, scale: float) -> Uint8Array:
    """Return the picture (H, W, 3) scaled: averaged when it shrinks, interpolated when it grows."""
    new = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, new, interpolation=method), np.uint8)


def _crop_randomly(
    picture: Uint8Array, label: Uint8Array, settings: AugmentationSettings, random: Random
) -> tuple[Uint8Array, Uint8Array]:
    """Return a nearly square part of a picture and its label, or, by chance, both as they are."""
    if random.random() >= settings.crop:
        return picture, label
    height, width = label.shape
    # Nearly square: of a tall street portrait that leaves a half body, and little padding.
    proportion = np.exp(random.uniform(-0.35, 0.35))
    part = random.uniform(settings.smallest, 1)
    h = max(1, int(part * min(height, width / proportion)))
    w = max(1, min(width, int(h * proportion)))
    y, x = int(random.integers(0, height - h + 1)), int(random.integers(0, width - w + 1))
    return picture[y : y + h, x : x + w], label[y : y + h, x : x + w]


def _place_randomly(
    picture: Uint8Array,
    label: Uint8Array,
    size: tuple[int, int],
    settings: AugmentationSettings,
    random: Random,
) -> tuple[Uint8Array, Uint8Array, NDArray[np.bool_]]:
    """Flip, rotate and scale a picture into the size, at a random place.

    Returns it, its label, and where the picture is.
    """
    height, width = label.shape
    scale = min(size[0] / height, size[1] / width)
    across = (size[1], size[0])
    if random.random() < settings.shrink:
        scale *= random.uniform(0.6, 1)
    degrees = settings.degrees if random.random() < settings.rotate else 0
    angle = np.deg2rad(random.uniform(-degrees, degrees))
    mirror = -1 if random.random() < settings.flip else 1
    turn = scale * np.array(
        [[mirror * np.cos(angle), -np.sin(angle)], [mirror * np.sin(angle), np.cos(angle)]]
    )
    room = (np.array(across) - scale * np.array([width, height])) / 2
    centre = np.array(across) / 2 + random.uniform(-1, 1, 2) * room
    # Pixel centres are at whole numbers in warpAffine, hence the halves.
    shift = centre - 0.5 - turn @ (np.array([width, height]) / 2 - 0.5)
    move = np.column_stack([turn, shift])
    if scale < 0.6:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.35 / scale), np.uint8)
    square = cv2.warpAffine(
        picture, move, across, flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
    )
    square_label = cv2.warpAffine(
        label, move, across, flags=cv2.INTER_NEAREST, borderValue=(UNKNOWN,)
    )
    inside = cv2.warpAffine(np.ones_like(label), move, across, flags=cv2.INTER_NEAREST) > 0
    return np.asarray(square, np.uint8), np.asarray(square_label, np.uint8), inside


def _dye_part(picture: Uint8Array, label: Uint8Array, random: Random) -> Uint8Array:
    """Dye a part of the subject or of the background in another colour, often with stripes.

    Few pictures hold few clothes, and a network would learn those by heart.
    """
    part = (label == (SUBJECT if random.random() < 0.6 else BACKGROUND)).astype(np.uint8)
    rows = np.flatnonzero(part.any(axis=1))
    if not rows.size:
        return picture
    if random.random() < 0.5:  # what a body wears is below its head
        part[: rows[0] + int(len(rows) * random.uniform(0, 0.5))] = 0
    height, width = label.shape
    coarse = random.random((int(random.integers(2, 6)),) * 2).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    part[field < random.uniform(0, 0.6)] = 0
    cover = cv2.GaussianBlur(part.astype(np.float32), (0, 0), 1.5)[:, :, None]
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab *= random.uniform([0.6, -1.5, -1.5], [1.4, 1.5, 1.5]).astype(np.float32)
    lab += random.uniform([-30, -50, -50], [30, 50, 50]).astype(np.float32)
    if random.random() < 0.4:
        y, x = np.mgrid[:height, :width].astype(np.float32)
        angle, period = random.uniform(0, np.pi), random.uniform(4, 60)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
        lab[:, :, 0] += random.uniform(5, 40) * wave.astype(np.float32)
    dyed = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1) * 255
    mixed = dyed * cover + picture * (1 - cover)
    return np.asarray(np.rint(mixed), np.uint8)


def _change_light(
    picture: Uint8Array, settings: AugmentationSettings, random: Random
) -> Uint8Array:
    """Return the picture (H, W, 3) with other light and colours, by chance with noise and blur."""
    picture = np.dstack(
        [
            cv2.LUT(picture[:, :, channel], table)
            for channel, table in enumerate(_channel_tables(settings.light, random))
        ]
    ).astype(np.uint8)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:, :, None].astype(np.float32)
    colour = 0.0 if random.random() < settings.grey else 1 + random.uniform(-1, 1) * settings.light
    mixed = grey + colour * (picture - grey)
    if random.random() < settings.noise:
        mixed += random.normal(0, random.uniform(1, 12), picture.shape)
    picture = np.clip(mixed, 0, 255).astype(np.uint8)
    if random.random() < settings.blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.8)), np.uint8)
    if random.random() < settings.jpeg:
        quality = int(random.integers(30, 90))
        _, stream = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR_RGB), np.uint8)
    return picture


def _channel_tables(light: float, random: Random) -> NDArray[np.uint8]:
    """Return a table of 256 values per channel: gamma, contrast, brightness and a tint."""
    gamma, contrast, brightness = 1 + random.uniform(-1, 1, 3) * light
    tint = 1 + random.uniform(-1, 1, 3) * light / 3
    values = np.linspace(0, 1, 256) ** (gamma if gamma > 0 else 1)
    values = (values - 0.5) * contrast + 0.5 * brightness
    tables: NDArray[np.uint8] = np.clip(values * tint[:, None] * 255, 0, 255).astype(np.uint8)
    return tables
