"""What an HDR clip says of the display that it was graded on, and of its brightest pixels."""

import struct
from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

PLACE_UNITS, LIGHT_UNITS = 50_000, 10_000  # of SMPTE ST 2086: 0.00002, and 0.0001 cd/m²
DISPLAY_FORMAT, LEVEL_FORMAT = "=22i", "=2I"  # FFmpeg's structures


def light_parameters(frame: VideoFrame) -> str:
    """Return x265's parameters for a frame's mastering display and light levels.

    "" if it has none. SMPTE ST 2086 and CTA-861.3: together HDR10's static metadata.
    """
    kinds: Any = frame.side_data  # by type, which its stub does not know
    found = [
        _display(kinds.get(Type.MASTERING_DISPLAY_METADATA)),
        _levels(kinds.get(Type.CONTENT_LIGHT_LEVEL)),
    ]
    return ":".join(part for part in found if part)


def _display(data: Any) -> str:
    """Return the mastering display as x265 is told it; "" if it isn't known as a whole."""
    try:
        numbers = struct.unpack(DISPLAY_FORMAT, bytes(data or b""))
    except struct.error:
        return ""
    *rationals, has_primaries, has_luminance = numbers
    if not (has_primaries and has_luminance and all(rationals[1::2])):
        return ""
    *places, least, most = (rationals[at] / rationals[at + 1] for at in range(0, len(rationals), 2))
    rx, ry, gx, gy, bx, by, wx, wy = (round(place * PLACE_UNITS) for place in places)
    light = f"L({round(most * LIGHT_UNITS)},{round(least * LIGHT_UNITS)})"
    return f"master-display=G({gx},{gy})B({bx},{by})R({rx},{ry})WP({wx},{wy}){light}"


def _levels(data: Any) -> str:
    """Return the brightest pixel's and the brightest frame's light; "" if they aren't known."""
    try:
        brightest, mean = struct.unpack(LEVEL_FORMAT, bytes(data or b"")[:8])
    except struct.error:
        return ""
    return f"max-cll={brightest},{mean}" if brightest else ""
