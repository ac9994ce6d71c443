"""Frames as arrays and arrays as frames, with the matrix and the range that a stream has.

Between the two stands swscale. On its fast ways from YUV to RGB results are 1 … 1.5 levels too
dark; through planes, rounded exactly and with whole chroma, they are right on average.
"""

from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from matte.arrays import Image
from matte.media.video.facts import FULL, LIMITED, RGB, Colours

EXACT = int(Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)
MEAN = int(Interpolation.AREA | Interpolation.FULL_CHR_H_INP)  # chroma of all pixels, not of some
BT709, BT601, BT2020 = 1, 5, 9
# swscale's number for what H.273 numbers; others are guessed as untagged ones are.
MATRICES = {1: BT709, 4: 4, 5: BT601, 6: BT601, 7: 7, 9: BT2020, 10: BT2020}
SOURCES = {  # by channels and bytes of a sample
    (1, 1): "gray",
    (3, 1): "rgb24",
    (4, 1): "rgba",
    (1, 2): "gray16le",
    (3, 2): "rgb48le",
    (4, 2): "rgba64le",
}


def matrix_of(colours: Colours, width: int, height: int) -> int:
    """swscale's number of the matrix: as tagged, else as players guess it from the size."""
    guess = BT709 if max(width, height) > 1024 or min(width, height) > 576 else BT601
    return MATRICES.get(colours.matrix, guess)


class Decoded:
    """Turns a stream's frames into arrays: one for each stream, for it keeps its tables."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> Image:
        """The frame as RGB (H, W, 3): uint8, or uint16 if it has more than 8 bits."""
        bits = max(component.bits for component in frame.format.components)
        colours = Colours(frame.color_range, frame.colorspace)
        matrix = matrix_of(colours, frame.width, frame.height)
        # "J" formats are full whatever the tag says; colour in RGB always is.
        full = colours.range == FULL or frame.format.is_rgb or "yuvj" in frame.format.name
        planar = self._reformatter.reformat(
            frame,
            format="gbrp" if bits <= 8 else "gbrp16le",
            interpolation=EXACT,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=FULL if full else LIMITED,
            dst_color_range=FULL,
            threads=1,
        )
        green, blue, red = (_plane(planar, at, bits) for at in range(3))
        out: NDArray[Any] = cv2.merge([red, green, blue])
        if bits > 8:
            # swscale's white is 255 · 256 from limited ranges, its highest bits only from full.
            out = cv2.add(out, out >> (min(bits, 16) if full else 8))
        return Image(out)


class Encoded:
    """Turns arrays into frames of one pixel format, with the colours' matrix and range."""

    def __init__(self, pixel_format: str, colours: Colours, width: int, height: int) -> None:
        self._format = pixel_format
        self._matrix = matrix_of(colours, width, height)
        self._range = FULL if colours.range == FULL else LIMITED
        self._reformatter = VideoReformatter()

    def frame(self, pixels: NDArray[Any]) -> VideoFrame:
        """The frame of grey (H, W), RGB or straight RGBA, uint8 or uint16."""
        if pixels.ndim == 2 and _is_yuv(self._format):
            pixels = cv2.merge([pixels] * 3)  # from grey swscale is up to 3 levels off
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        pixels = np.ascontiguousarray(pixels)
        name = SOURCES[channels, pixels.dtype.itemsize]
        target = self._format
        if pixels.dtype == np.uint16 and _is_yuv(target):
            pixels = pixels - (pixels >> 8)  # its white is 255 · 256
        if name == target:
            return VideoFrame.from_ndarray(pixels, format=name)
        return self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(pixels, format=name),
            format=target,
            interpolation=MEAN,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            src_color_range=FULL,
            dst_color_range=self._range,
            threads=1,
        )


def written_colours(colours: Colours, pixel_format: str) -> Colours:
    """The tags for a stream in this format, made from pictures with these colours."""
    if not _is_yuv(pixel_format):
        return Colours(FULL, RGB, colours.primaries, colours.transfer)
    if colours.matrix == RGB:  # pictures that were never YUV
        return Colours(LIMITED, BT709, colours.primaries, colours.transfer)
    return colours


def _is_yuv(pixel_format: str) -> bool:
    return pixel_format.startswith("yuv")


def _plane(frame: VideoFrame, at: int, bits: int) -> NDArray[Any]:
    plane = frame.planes[at]
    dtype = np.dtype(np.uint8 if bits <= 8 else "<u2")
    rows: NDArray[Any] = np.frombuffer(memoryview(plane), dtype)
    return rows.reshape(plane.height, -1)[:, : plane.width]
