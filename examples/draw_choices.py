"""Draws the pictures of docs/choosing.md: `python draw_choices.py docs/images`.

The shipped portrait by each preset, with several bands, by several refiners, and with a mask that
was painted roughly. Each picture shows the whole, or hair, enlarged.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import matte

SAMPLE = Path(__file__).parents[1] / "matte/media/samples/astronaut.jpg"
HAIR = (slice(66, 156), slice(146, 236))  # of the portrait
COLOUR = "#1c2a58"
SIDE, GAP, TITLE = 300, 6, 26
Pixels = NDArray[np.uint8]


def tile(picture: NDArray[np.generic], title: str) -> Pixels:
    """A picture of one size below its title."""
    if picture.ndim == 2:
        grey = picture if picture.dtype == np.uint8 else np.rint(picture.astype(np.float32) * 255)
        picture = np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
    way = cv2.INTER_AREA if picture.shape[0] > SIDE else cv2.INTER_CUBIC
    shown = cv2.resize(np.asarray(picture, np.uint8), (SIDE, SIDE), interpolation=way)
    head = np.full((TITLE, SIDE, 3), 255, np.uint8)
    cv2.putText(head, title, (2, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
    return np.vstack([head, shown])


def write(path: Path, rows: Sequence[Sequence[Pixels]]) -> None:
    """Writes rows of tiles as one JPEG."""
    drawn = []
    for row in rows:
        parts = [part for each in row for part in (each, np.full((len(each), GAP, 3), 255))]
        drawn.append(np.hstack(parts[:-1]))
    sheet = np.vstack(drawn).astype(np.uint8)
    cv2.imwrite(str(path), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


def composed(result: matte.Matte) -> Pixels:
    """The hair on a colour."""
    return np.asarray(result.composite(COLOUR)[HAIR][:, :, :3], np.uint8)


def draw_presets(folder: Path) -> None:
    """Alpha and composite by each preset."""
    results = {name: matte.load(name)(SAMPLE) for name in ("fast", "balanced", "best")}
    above = [tile(result.alpha[HAIR], f"{name}: alpha") for name, result in results.items()]
    below = [tile(composed(result), f"{name}: on a colour") for name, result in results.items()]
    write(folder / "choose-preset.jpg", [above, below])


def draw_bands(folder: Path) -> None:
    """Trimap and composite with a narrow, a middle, a wide band, and one by confidence."""
    above, below = [], []
    for k in (3, 7, 21, "auto"):
        result = matte.load("balanced", k=k)(SAMPLE)
        assert result.trimap is not None
        above.append(tile(result.trimap, f"--k {k}: trimap"))
        below.append(tile(composed(result), f"--k {k}: on a colour"))
    write(folder / "choose-band.jpg", [above, below])


def draw_edges(folder: Path) -> None:
    """Composites by refiners from the quickest to the finest."""
    names = ("smooth", "guided", "gca-slim-plain", "gca-slim")
    results = {name: matte.load("balanced", refiner=name)(SAMPLE) for name in names}
    row = [tile(composed(result), f"--refiner {name}") for name, result in results.items()]
    write(folder / "choose-edge.jpg", [row])


def draw_painted(folder: Path) -> None:
    """A mask as somebody paints it in a minute, and what becomes of it."""
    mask = np.zeros((256, 256), np.uint8)  # half the portrait's size
    cv2.ellipse(mask, (116, 53), (42, 46), 0, 0, 360, 255, -1)
    left, right = [(22, 256), (34, 158), (84, 112), (104, 94)], [(128, 94), (192, 150)]
    outline = np.array([*left, *right, (226, 176), (244, 256)])
    cv2.fillPoly(mask, [outline.astype(np.int32)], 255)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 5), np.uint8)  # grey is unsure
    result = matte.load("balanced", fallback="none")(SAMPLE, mask=mask)
    assert result.trimap is not None
    whole = np.asarray(result.composite(COLOUR)[:, :, :3], np.uint8)
    row = [tile(mask, "painted, blurred"), tile(result.trimap, "trimap")]
    row += [tile(result.alpha, "alpha"), tile(whole, "on a colour")]
    write(folder / "choose-mask.jpg", [row])


def main(folder: Path) -> None:
    """Draws all four."""
    for draw in (draw_presets, draw_bands, draw_edges, draw_painted):
        draw(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
