"""HDR video: what PQ and HLG samples mean as light, and the way to SDR and back.

Curves of ITU-R BT.2100, levels of BT.2408, the roll-off of highlights of BT.2390-11 (5.4.1). Light
is in cd/m², of a display that shows 1000 of them at most for HLG.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image
from matte.imaging.bit_depth import convert_depth
from matte.imaging.light import Curve, decode_light, encode_light, to_light
from matte.imaging.strips import strip_slices
from matte.media.video.facts import LIMITED_RANGE, ClipFacts, ColourTags

HdrMode = Literal["keep", "sdr"]
PQ, HLG = 16, 18  # transfer functions, by their numbers of ITU-T H.273
NAMES = {PQ: "PQ", HLG: "HLG"}
CURVES: dict[int, Curve] = {PQ: "pq", HLG: "hlg"}
BT709_TAGS = ColourTags(LIMITED_RANGE, 1, 1, 1)
WHITE_NITS = 203.0  # of SDR's white in HDR, and of HDR's white in a picture without highlights
PEAK_NITS = 1000.0  # of most HDR video; what is brighter becomes white in SDR
PQ_NITS = 10000.0  # of the highest PQ sample
HLG_GAMMA = 1.2  # of a display of PEAK_NITS
LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
# x and y of red, green, blue and white, by the numbers of H.273.
CHROMATICITIES = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, 0.3127, 0.3290),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
}
STEPS = 4096  # of the tables


@dataclass(frozen=True)
class HdrLight:
    """The light of a clip's samples, by its transfer function and primaries."""

    transfer: int
    primaries: int = 9

    @property
    def name(self) -> str:
        """PQ or HLG."""
        return NAMES[self.transfer]

    @property
    def curve(self) -> Curve:
        """The curve by which stored values are mixed as light."""
        return CURVES[self.transfer]

    def to_sdr(self, pixels: Image) -> Image:
        """Return 16-bit pixels as sRGB of 8 bits: highlights are rolled off, hues kept."""
        out = np.empty(pixels.shape, np.uint8)
        for rows in strip_slices(*pixels.shape[:2]):
            nits = self._to_nits(pixels[rows])
            light = np.asarray(cv2.transform(nits, self._to_bt709), np.float32)
            red, green, blue = cv2.split(light)
            highest = np.maximum(np.maximum(red, green), blue)
            np.clip(highest, 0, PEAK_NITS * (1 - 1 / STEPS), out=highest)
            index = (highest * np.float32(STEPS / PEAK_NITS)).astype(np.uint16)
            light *= _roll_off_table()[index][:, :, None]
            np.clip(light, 0, STEPS - 1, out=light)
            out[rows] = _srgb_table()[light.astype(np.uint16)]
        return Image(out)

    def to_sdr_with_alpha(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return RGB or RGBA pixels of 16 bits in 8, tone-mapped, alpha as it is."""
        if pixels.shape[2] == 3:
            return self.to_sdr(Image(pixels))
        alpha = convert_depth(np.ascontiguousarray(pixels[:, :, 3]), np.dtype(np.uint8))
        colours = self.to_sdr(Image(np.ascontiguousarray(pixels[:, :, :3])))
        return np.dstack([colours, alpha])

    def to_linear(self, pixels: NDArray[Any]) -> FloatArray:
        """Return 16-bit pixels as linear light with BT.709's primaries, 1 at `WHITE_NITS`.

        Colours outside of BT.709 have negative values.
        """
        light = np.empty(pixels.shape, np.float32)
        for rows in strip_slices(*pixels.shape[:2]):
            nits = self._to_nits(pixels[rows])
            light[rows] = cv2.transform(nits, self._to_bt709 / WHITE_NITS)
        return light

    def from_sdr(self, pixels: Image) -> Image:
        """Return sRGB pixels of 8 or 16 bits as 16-bit pixels, white at `WHITE_NITS`."""
        out = np.empty(pixels.shape, np.uint16)
        for rows in strip_slices(*pixels.shape[:2]):
            light = to_light(pixels[rows]) * np.float32(WHITE_NITS)
            own = np.maximum(cv2.transform(light, np.linalg.inv(self._to_bt709)), 0)
            out[rows] = self._from_nits(np.asarray(own, np.float32))
        return Image(out)

    def _to_nits(self, pixels: NDArray[Any]) -> FloatArray:
        """Return the light (H, W, 3) that a display shows, in the clip's own primaries."""
        light = to_light(pixels, self.curve)
        if self.transfer == PQ:
            return np.asarray(light * np.float32(PQ_NITS))
        luminance = np.maximum(light @ LUMA_2020, np.float32(1e-6))
        gain = np.float32(PEAK_NITS) * luminance ** np.float32(HLG_GAMMA - 1)
        return np.asarray(light * gain[:, :, None])

    def _from_nits(self, nits: FloatArray) -> NDArray[np.uint16]:
        """Return the samples for what a display shall show."""
        if self.transfer == PQ:
            share = encode_light(nits / np.float32(PQ_NITS), "pq")
        else:
            shown = nits / np.float32(PEAK_NITS)
            luminance = np.maximum(shown @ LUMA_2020, np.float32(1e-6))
            gain = luminance ** np.float32(1 / HLG_GAMMA - 1)
            share = encode_light(np.minimum(shown * gain[:, :, None], 1), "hlg")
        return np.asarray(np.rint(np.clip(share, 0, 1) * 65535), np.uint16)

    @cached_property
    def _to_bt709(self) -> NDArray[np.float64]:
        """The matrix from the clip's primaries to BT.709's."""
        return np.linalg.inv(_to_xyz(1)) @ _to_xyz(self.primaries)


def hdr_light(colours: ColourTags) -> HdrLight | None:
    """Return the light of samples with these tags; None unless they are PQ or HLG."""
    if colours.transfer not in NAMES:
        return None
    primaries = colours.primaries if colours.primaries in CHROMATICITIES else 9
    return HdrLight(colours.transfer, primaries)


def sdr_facts(facts: ClipFacts) -> ClipFacts:
    """Return a clip's facts as they are once its frames are tone-mapped to 8 bits."""
    return replace(facts, colours=BT709_TAGS, depth=8, light_parameters="")


def _to_xyz(primaries: int) -> NDArray[np.float64]:
    """Return the matrix from linear RGB of these primaries to XYZ."""
    places = np.array(CHROMATICITIES[primaries]).reshape(4, 2)
    xyz = np.array([(x / y, 1, (1 - x - y) / y) for x, y in places])
    weights = np.linalg.solve(xyz[:3].T, xyz[3])
    return np.asarray(xyz[:3].T * weights)


@cache
def _roll_off_table() -> FloatArray:
    """Return by what to multiply light, in nits, for SDR's steps, by its highest channel.

    White has `STEPS` − 1. Up to a knee nothing changes but the unit; above it BT.2390's spline ends
    at white for `PEAK_NITS`.
    """
    nits = (np.arange(STEPS) + 0.5) / STEPS * PEAK_NITS
    top, white = encode_light(np.array([PEAK_NITS, WHITE_NITS]) / PQ_NITS, "pq")
    position, most = encode_light(nits / PQ_NITS, "pq") / top, white / top
    knee = 1.5 * most - 0.5
    t = np.clip((position - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * most
    )
    shown = decode_light(np.where(position < knee, position, spline) * top, "pq") * PQ_NITS
    return np.asarray(shown / nits / WHITE_NITS * (STEPS - 1), np.float32)


@cache
def _srgb_table() -> NDArray[np.uint8]:
    """Return the sRGB level of each of `STEPS` shares of white."""
    levels = 255 * encode_light(np.arange(STEPS) / (STEPS - 1), "srgb")
    return np.asarray(np.rint(levels), np.uint8)
