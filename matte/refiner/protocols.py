"""The padding of pictures and trimaps for GCA, and the inputs of its networks.

The released code has two ways. Padding changes the share of unknown pixels, and with it what the
attention prefers: the same picture gets a slightly different alpha.
"""

from dataclasses import dataclass

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, FloatArray, Image, Trimap
from matte.errors import SettingError
from matte.registry import nearest

MULTIPLE = 32  # of which the network's height and width are
ATTENTION_STRIDE = 16  # pixels between the places that the attention compares
# Pixels reflected on every side, before the right and the bottom are filled up to the multiple:
# by the author's demo for any picture, and by his evaluation on Composition-1k.
PROTOCOLS = {"demo": 32, "tester": 0}
MAX_PADDING = (
    2 * max(PROTOCOLS.values()) + MULTIPLE - 1
)  # pixels that padding adds to a side at most


@dataclass(frozen=True, slots=True, eq=False)
class Padded:
    """A picture and its trimap with reflected borders; (H, W) are multiples of 32.

    The picture begins at row and column `border` and is `height` × `width`.
    """

    image: Image
    trimap: Trimap
    border: int
    height: int
    width: int

    def crop(self, alpha: FloatArray) -> Alpha:
        """Return the picture's part of the network's alpha (H, W) of the padded picture."""
        rows = slice(self.border, self.border + self.height)
        return Alpha(alpha[rows, self.border : self.border + self.width])


def pad_for_network(image: Image, trimap: Trimap, protocol: str) -> Padded:
    """Return image and trimap with reflected borders, as wide as the protocol has them.

    Pictures narrower than a border are reflected repeatedly; a single row or column is repeated.
    """
    if protocol not in PROTOCOLS:
        raise SettingError(f"no protocol {protocol!r}", nearest(protocol, PROTOCOLS))
    border = PROTOCOLS[protocol]
    height, width = trimap.shape
    sides = [(border, border + -length % MULTIPLE) for length in (height, width)]
    return Padded(
        Image(np.pad(image, [*sides, (0, 0)], mode="reflect")),
        Trimap(np.pad(trimap, sides, mode="reflect")),
        border,
        height,
        width,
    )


def extend_to_min_side(image: Image, trimap: Trimap, min_side: int) -> tuple[Image, Trimap]:
    """Extend image and trimap by reflection, below and at the right, to at least `min_side`."""
    sides = [(0, max(0, min_side - length)) for length in trimap.shape]
    if not any(more for _, more in sides):
        return image, trimap
    picture = Image(np.pad(image, [*sides, (0, 0)], mode="reflect"))
    return picture, Trimap(np.pad(trimap, sides, mode="reflect"))


def unknown_ratio(trimap: Trimap) -> float:
    """Return the share of unknown pixels as the network counts it: every 16th row and column.

    A network that sees a padded picture in tiles gets the whole picture's ratio.
    """
    return float((trimap[::ATTENTION_STRIDE, ::ATTENTION_STRIDE] == UNKNOWN).mean())


def network_inputs(
    image: Image, trimap: Trimap, ratio: float | None = None
) -> dict[str, FloatArray]:
    """Return the network's float32 inputs for a batch of one.

    `image` (1, 3, H, W) is RGB 0 … 1, `trimap` (1, 1, H, W) is 0, 0.5 and 1, `unknown_ratio` (1,)
    is −1 for the trimap's own.
    """
    rgb = image.transpose(2, 0, 1)[None] / np.float32(np.iinfo(image.dtype).max)
    levels = np.select([trimap == BACKGROUND, trimap == SUBJECT], [0.0, 1.0], 0.5)
    return {
        "image": np.ascontiguousarray(rgb, np.float32),
        "trimap": levels[None, None].astype(np.float32),
        "unknown_ratio": np.array([-1 if ratio is None else ratio], np.float32),
    }
