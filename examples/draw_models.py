"""Shows what each shipped network makes of the sample: `python draw_models.py FOLDER`.

NAME.jpg: the picture, what the network finds (of a refiner: what it is given), and the subject
on a light ground. Model cards show them.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import matte
from matte.arrays import Alpha, Image, Trimap
from matte.weights.store import SHIPPED_FOLDER, all_weights

SAMPLE = Path(__file__).parents[1] / "matte/media/samples/astronaut.jpg"
GROUND = np.array([250, 235, 190], np.float32)


def main(folder: Path) -> None:
    """Writes one sheet for each network."""
    picture = np.asarray(cv2.imread(str(SAMPLE), cv2.IMREAD_COLOR_RGB), np.uint8)
    for name, weights in all_weights().items():
        if weights.folder != SHIPPED_FOLDER:
            continue
        found = matte.load(**{weights.kind: name})(picture)
        alpha, colours, middle = found.alpha, found.foreground, found.trimap
        if weights.kind == "segmenter" and found.mask is not None:
            alpha, colours = Alpha((found.mask / 255).astype(np.float32)), Image(picture)
        if weights.kind != "refiner" or middle is None:
            middle = Trimap(np.rint(alpha * 255).astype(np.uint8))
        on_ground = alpha[:, :, None] * colours + (1 - alpha[:, :, None]) * GROUND
        tiles = [picture, grey(middle), np.rint(on_ground).astype(np.uint8)]
        path = folder / f"{name}.jpg"
        cv2.imwrite(str(path), np.hstack(tiles)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        print(path)


def grey(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """One channel as three."""
    return np.repeat(values.astype(np.uint8)[:, :, None], 3, axis=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
