import numpy as np
import pytest
from av.video.frame import VideoFrame

from matte.media.video.colours import FrameDecoder, FrameEncoder
from matte.media.video.facts import ColourTags
from tests.media.clips import still


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le", "yuv422p12le"])
def test_colours_by_the_streams_own_matrix_and_range(
    pixel_format: str, matrix: int, full: bool
) -> None:
    bits = 10 if "10" in pixel_format else 12 if "12" in pixel_format else 8
    dtype, scale = (np.uint8 if bits == 8 else np.uint16), 1 << (bits - 8)
    for samples in [(60, 100, 150), (120, 128, 128), (200, 90, 140), (235, 128, 128), (16,) * 3]:
        frame = VideoFrame(64, 48, pixel_format)
        for plane, sample in zip(frame.planes, samples, strict=True):
            np.frombuffer(plane, dtype)[:] = sample * scale  # type: ignore[call-overload]  # buffer
        frame.colorspace, frame.color_range = matrix, 2 if full else 1
        pixels = FrameDecoder().decode_rgb(frame)
        assert pixels.dtype == dtype
        found = pixels[20, 20] / np.iinfo(dtype).max
        expected = _rgb(samples, matrix, full, bits)
        assert np.abs(found - expected).max() * 255 < 0.8, samples


LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def _rgb(samples: tuple[int, ...], matrix: int, full: bool, bits: int) -> list[float]:
    scale = 1 << (bits - 8)
    top = (1 << bits) - 1
    y, u, v = (samples[0] - 16) / 219, (samples[1] - 128) / 224, (samples[2] - 128) / 224
    if full:
        half = 1 << (bits - 1)
        y, u, v = ((s * scale - b) / top for s, b in zip(samples, (0, half, half), strict=True))
    red, blue = LUMA[matrix]
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return [min(max(part, 0.0), 1.0) for part in (r, g, b)]


@pytest.mark.parametrize(
    "colours", [ColourTags(1, 1), ColourTags(2, 1), ColourTags(1, 6), ColourTags(1, 9)]
)
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv420p", "yuv444p10le", "yuv420p10le"])
def test_colours_come_back(pixel_format: str, colours: ColourTags) -> None:
    deep = "10" in pixel_format
    pixels = still(3) if not deep else still(3).astype(np.uint16) * 257
    frame = FrameEncoder(pixel_format, colours, 64, 48).encode(pixels)
    frame.colorspace, frame.color_range = colours.matrix, colours.range
    error = FrameDecoder().decode_rgb(frame).astype(float) - pixels
    error /= 257 if deep else 1
    # Not darker, not lighter; into 8 full bits swscale cuts chroma off where it should round.
    assert np.abs(error.mean((0, 1))).max() < (1.1 if colours.range == 2 and not deep else 0.3)
    assert np.abs(error).mean() < (0.8 if "444" in pixel_format else 1.2)
