"""Frames to arrays and arrays to frames, with the matrix and the range that a stream has.

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
from matte.media.video.facts import FULL_RANGE, LIMITED_RANGE, RGB, ColourTags

EXACT_SCALING = int(
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
)
# Chroma is the mean of all pixels, not of some.
AVERAGED_CHROMA = int(Interpolation.AREA | Interpolation.FULL_CHR_H_INP)
BT709, BT601, BT2020 = 1, 5, 9
# swscale's numbers of H.273's matrices; others are guessed as untagged ones are.
MATRICES = {1: BT709, 4: 4, 5: BT601, 6: BT601, 7: 7, 9: BT2020, 10: BT2020}
PIXEL_FORMATS = {  # by channels and bytes of a sample
    (1, 1): "gray",
    (3, 1): "rgb24",
    (4, 1): "rgba",
    (1, 2): "gray16le",
    (3, 2): "rgb48le",
    (4, 2): "rgba64le",
}


def swscale_matrix(colours: ColourTags, width: int, height: int) -> int:
    """Return swscale's number of the matrix: as tagged, else as players guess it from the size."""
    guess = BT709 if max(width, height) > 1024 or min(width, height) > 576 else BT601
    return MATRICES.get(colours.matrix, guess)


class FrameDecoder:
    """Converts a stream's frames to RGB arrays; one for each stream, for it keeps its tables."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def decode_rgb(self, frame: VideoFrame) -> Image:
        """Return the frame as RGB (H, W, 3): uint8, or uint16 if it has more than 8 bits."""
        bits = max(component.bits for component in frame.format.components)
        colours = ColourTags(frame.color_range, frame.colorspace)
        matrix = swscale_matrix(colours, frame.width, frame.height)
        # "J" formats are full whatever the tag says; colour in RGB always is.
        full = colours.range == FULL_RANGE or frame.format.is_rgb or "yuvj" in frame.format.name
        planar = self._reformatter.reformat(
            frame,
            format="gbrp" if bits <= 8 else "gbrp16le",
            interpolation=EXACT_SCALING,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=FULL_RANGE if full else LIMITED_RANGE,
            dst_color_range=FULL_RANGE,
            threads=1,
        )
        green, blue, red = (_plane_array(planar, index, bits) for index in range(3))
        out: NDArray[Any] = cv2.merge([red, green, blue])
        if bits > 8:
            # swscale's white is 255 · 256 from limited ranges, its highest bits only from full.
            out = cv2.add(out, out >> (min(bits, 16) if full else 8))
        return Image(out)


class FrameEncoder:
    """Converts arrays to frames of one pixel format, with the colours' matrix and range."""

    def __init__(self, pixel_format: str, colours: ColourTags, width: int, height: int) -> None:
        self._format = pixel_format
        self._matrix = swscale_matrix(colours, width, height)
        self._range = FULL_RANGE if colours.range == FULL_RANGE else LIMITED_RANGE
        self._reformatter = VideoReformatter()

    def encode(self, pixels: NDArray[Any]) -> VideoFrame:
        """Return the frame of grey (H, W), RGB or straight RGBA pixels, uint8 or uint16."""
        if pixels.ndim == 2 and _is_yuv(self._format):
            pixels = cv2.merge([pixels] * 3)  # from grey swscale is up to 3 levels off
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        pixels = np.ascontiguousarray(pixels)
        name = PIXEL_FORMATS[channels, pixels.dtype.itemsize]
        target = self._format
        if pixels.dtype == np.uint16 and _is_yuv(target):
            pixels = pixels - (pixels >> 8)  # its white is 255 · 256
        if name == target:
            return VideoFrame.from_ndarray(pixels, format=name)
        return self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(pixels, format=name),
            format=target,
            interpolation=AVERAGED_CHROMA,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            src_color_range=FULL_RANGE,
            dst_color_range=self._range,
            threads=1,
        )


def output_colour_tags(colours: ColourTags, pixel_format: str) -> ColourTags:
    """Return the colour tags of a stream in this format, made from pictures with these tags."""
    if not _is_yuv(pixel_format):
        return ColourTags(FULL_RANGE, RGB, colours.primaries, colours.transfer)
    if colours.matrix == RGB:  # pictures that were never YUV
        return ColourTags(LIMITED_RANGE, BT709, colours.primaries, colours.transfer)
    return colours


def _is_yuv(pixel_format: str) -> bool:
    """Return whether a pixel format holds luma and chroma."""
    return pixel_format.startswith("yuv")


def _plane_array(frame: VideoFrame, index: int, bits: int) -> NDArray[Any]:
    """Return one of a planar frame's channels (H, W), in the frame's memory."""
    plane = frame.planes[index]
    dtype = np.dtype(np.uint8 if bits <= 8 else "<u2")
    rows: NDArray[Any] = np.frombuffer(memoryview(plane), dtype)
    return rows.reshape(plane.height, -1)[:, : plane.width]
