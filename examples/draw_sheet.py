"""Puts the steps of `make demo` side by side: `python draw_sheet.py build/demo OUT.jpg`."""

import sys
from pathlib import Path

import cv2
import numpy as np

SAMPLE = Path(__file__).parents[1] / "matte/media/samples/astronaut.jpg"
STEPS = ("mask.png", "trimap.png", "alpha.png", "astronaut-on-beach.png")
SIDE, GAP = 300, 6


def main(folder: Path, out: Path) -> None:
    """Writes the sheet."""
    tiles = []
    for path in (SAMPLE, *(folder / name for name in STEPS)):
        picture = cv2.imread(str(path))
        if picture is None:
            raise SystemExit(f"no {path}: run make demo first")
        tiles.append(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        tiles.append(np.full((SIDE, GAP, 3), 255, np.uint8))
    cv2.imwrite(str(out), np.hstack(tiles[:-1]), [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
