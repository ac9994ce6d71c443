"""Whether an NVIDIA GPU (NVDEC) may decode a clip in place of the processor."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from av.codec.hwaccel import hwdevices_available

from matte.media.video.colours import FrameDecoder
from matte.media.video.container import NO_DECODER
from matte.media.video.decoding import DecodedPicture, decode_pictures

COMPARED_PICTURES = 5


def gpu_decodes_alike(path: Path, index: int, gpu: int) -> bool:
    """Return whether the GPU gives a stream's first pictures exactly as the processor does.

    Codecs define each bit of a picture, so what differs is a fault.
    """
    if "cuda" not in hwdevices_available():
        return False
    try:
        found = list(islice(decode_pictures(path, index, gpu=gpu), COMPARED_PICTURES))
    except NO_DECODER:
        return False
    expected = list(islice(decode_pictures(path, index), COMPARED_PICTURES))
    decoder = FrameDecoder()
    return len(found) == len(expected) and all(
        _are_alike(one, other, decoder) for one, other in zip(found, expected, strict=True)
    )


def decode_by_gpu(path: Path, index: int, start: int | None, gpu: int) -> Iterator[DecodedPicture]:
    """Yield what decode_pictures() does, by the processor if the GPU can't any more."""
    found = decode_pictures(path, index, start, gpu)
    try:
        first = next(found, None)
    except NO_DECODER:
        yield from decode_pictures(path, index, start)
        return
    if first is not None:
        yield first
        yield from found


def _are_alike(one: DecodedPicture, other: DecodedPicture, decoder: FrameDecoder) -> bool:
    """Return whether two pictures have the same time and pixels, and neither has a fault."""
    if one.frame is None or other.frame is None or one.fault or other.fault:
        return False
    if (one.pts, one.frame.duration) != (other.pts, other.frame.duration):
        return False
    return np.array_equal(decoder.decode_rgb(one.frame), decoder.decode_rgb(other.frame))
