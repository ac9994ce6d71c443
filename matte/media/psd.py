"""Photoshop's documents (.psd), as layers with masks that are not applied.

Written after Adobe's "Photoshop File Formats Specification", November 2019.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.errors import OutputError
from matte.imaging.bit_depth import quantise_alpha

MAX_SIDE = 30_000  # pixels
RGB_MODE = 3
ICC_PROFILE, EXIF_DATA = 1039, 1058  # the numbers of image resources
MASK_CHANNEL = -2
RAW, ZIPPED = 0, 2  # kinds of compression
ZIP_LEVEL = 3
HIDDEN = 2  # a bit of a layer's flags
SHOWN_NAME_BYTES = 255


@dataclass(frozen=True, slots=True, eq=False)
class PsdLayer:
    """A layer: its name, its colours (H, W, 3), its mask, and whether it is shown."""

    name: str
    colours: Image
    mask: Alpha | None = None
    is_hidden: bool = False


def encode_psd(
    layers: Sequence[PsdLayer], merged: Image, profile: bytes = b"", exif: bytes = b""
) -> bytes:
    """Return a document of the layers, the lowest first, all of one size and depth.

    `merged` (H, W, 3) is what programs show that don't know layers.
    """
    height, width = merged.shape[:2]
    if max(height, width) > MAX_SIDE:
        raise OutputError(f"a picture of {width}×{height} is too large for .psd", "save it as .tif")
    depth = 8 * merged.dtype.itemsize
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, height, width, depth, RGB_MODE)
    resources = b"".join(
        _resource(number, data) for number, data in ((ICC_PROFILE, profile), (EXIF_DATA, exif))
    )
    information = _layer_information(layers)
    if depth == 8:
        section = _block(information) + _block(b"")
    else:  # layers of 16 bits have a place of their own
        section = _block(b"") + _block(b"") + b"8BIMLr16" + _block(information)
    planes = struct.pack(">H", RAW) + b"".join(_planes(merged))
    return header + _block(b"") + _block(resources) + _block(section) + planes


def _layer_information(layers: Sequence[PsdLayer]) -> bytes:
    """Return the records of the layers and the data of their channels."""
    records, pixels = b"", b""
    for layer in layers:
        channels = list(zip(range(3), _planes(layer.colours), strict=True))
        if layer.mask is not None:
            mask = quantise_alpha(layer.mask, layer.colours.dtype.type)
            channels.append((MASK_CHANNEL, _big_endian(mask)))
        stored = [
            (number, struct.pack(">H", ZIPPED) + zlib.compress(plane, ZIP_LEVEL))
            for number, plane in channels
        ]
        records += _record(layer, stored)
        pixels += b"".join(data for _, data in stored)
    found = struct.pack(">h", len(layers)) + records + pixels
    return found + bytes(-len(found) % 4)


def _record(layer: PsdLayer, channels: Iterable[tuple[int, bytes]]) -> bytes:
    """Return the record that describes a layer."""
    height, width = layer.colours.shape[:2]
    box = struct.pack(">4i", 0, 0, height, width)
    listed = b"".join(struct.pack(">hI", number, len(data)) for number, data in channels)
    blend = b"8BIMnorm" + bytes((255, 0, HIDDEN if layer.is_hidden else 0, 0))
    mask = b"" if layer.mask is None else box + bytes(4)
    name = layer.name.encode("ascii", "replace")[:SHOWN_NAME_BYTES]
    short = bytes((len(name),)) + name
    extra = _block(mask) + _block(b"") + short + bytes(-len(short) % 4)
    count = struct.pack(">H", len(listed) // 6)
    return box + count + listed + blend + _block(extra)


def _resource(number: int, data: bytes) -> bytes:
    """Return an image resource; nothing for one without data."""
    if not data:
        return b""
    return b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)


def _planes(colours: Image) -> Iterable[bytes]:
    """Yield the pixels of each colour, row after row."""
    for channel in range(3):
        yield _big_endian(colours[:, :, channel])


def _big_endian(plane: NDArray[Any]) -> bytes:
    """Return numbers with their most significant byte first."""
    return plane.astype(plane.dtype.newbyteorder(">")).tobytes()


def _block(data: bytes) -> bytes:
    """Return data behind its length."""
    return struct.pack(">I", len(data)) + data
