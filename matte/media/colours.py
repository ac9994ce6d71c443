"""Colours brought from one ICC profile into another; no profile, b"", means sRGB."""

import functools
import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Image
from matte.errors import MatteWarning
from matte.imaging.strips import strip_slices

if TYPE_CHECKING:  # at run time it is imported for the first profile
    from PIL.ImageCms import ImageCmsTransform

RGB, GREY, CMYK = b"RGB ", b"GRAY", b"CMYK"
MODES = {RGB: "RGB", GREY: "L", CMYK: "CMYK"}  # Pillow's names
LARGEST = 1 << 23  # bytes of a profile that are believed
SAME = 1  # levels of 255 that two names of one profile may differ by


def space(profile: bytes) -> bytes:
    """The colours that a profile is for, as its header says; b"" if it can't be used."""
    found = profile[16:20]
    if found not in MODES or profile[36:40] != b"acsp" or len(profile) > LARGEST:
        return b""
    return found if _to_srgb(profile) is not None else b""


def in_profile(pixels: Image, source: bytes, target: bytes) -> Image:
    """RGB pixels of the profile `source` as pixels of the profile `target`, in their depth.

    Profiles that can't be used, or are not for RGB, are taken for sRGB with a MatteWarning.
    8-bit pixels come out within a level. So do 16-bit ones, without steps: half a level of 255,
    more only where a colour leaves what the target can show.
    """
    source, target = (_usable(profile) for profile in (source, target))
    if source == target or (transform := _transform(source, target)) is None:
        return pixels
    out = np.empty_like(pixels)
    applied = _applied_deep if pixels.dtype == np.uint16 else _applied
    for part in strip_slices(*pixels.shape[:2]):
        out[part] = applied(transform, pixels[part])
    return Image(out)


def grey_levels(profile: bytes, levels: int) -> NDArray[np.float64]:
    """The sRGB level, 0 … 1, of each of so many grey levels of a grey profile."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    found = _applied(_required(profile), ramp)[0, :, 0] / 255
    return np.interp(np.linspace(0, 255, levels), np.arange(256), found)


def cmyk_as_rgb(picture: Pillow.Image, profile: bytes) -> Pillow.Image:
    """A CMYK picture in sRGB."""
    return _required(profile).apply(picture)


def _usable(profile: bytes) -> bytes:
    if profile and space(profile) != RGB:
        text = "a colour profile is damaged or not for RGB: its colours are taken as sRGB"
        warnings.warn(text, MatteWarning, stacklevel=3)
        return b""
    return profile


def _applied(transform: "ImageCmsTransform", array: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(transform.apply(Pillow.fromarray(array)), np.uint8)


def _applied_deep(transform: "ImageCmsTransform", array: NDArray[Any]) -> NDArray[np.uint16]:
    """By tetrahedra between the 8-bit colours around each pixel: littlecms here has no 16 bits.

    From the corner below a pixel, the channels go up in the order of what they lack.
    """
    corner = np.minimum(array // 257, 254).astype(np.uint8)
    above = (array - corner.astype(np.uint16) * 257) / np.float32(257)
    low, middle, high = np.split(np.sort(above, axis=-1), 3, axis=-1)
    out = (1 - high) * _applied(transform, corner)
    out += (high - middle) * _applied(transform, corner + (above >= high))
    out += (middle - low) * _applied(transform, corner + (above >= middle))
    out += low * _applied(transform, corner + np.uint8(1))
    return np.asarray(np.rint(out * 257), np.uint16)


@functools.lru_cache(maxsize=8)
def _transform(source: bytes, target: bytes) -> "ImageCmsTransform | None":
    """From one RGB profile to the other; None if they are the same by other names."""
    transform = _built(source, target)
    axis = np.linspace(0, 255, 18).astype(np.uint8)
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(1, -1, 3)
    change = _applied(transform, grid).astype(int) - grid
    return transform if np.abs(change).max() > SAME else None


@functools.lru_cache(maxsize=8)
def _to_srgb(profile: bytes) -> "ImageCmsTransform | None":
    """From a profile to sRGB; None if it can't be used, or is absurd: no white is bright in it."""
    from PIL.ImageCms import PyCMSError

    mode = MODES[profile[16:20]]
    try:
        transform = _built(profile, b"")
    except (PyCMSError, OSError, ValueError):
        return None
    white = Pillow.new(mode, (1, 1), (0, 0, 0, 0) if mode == "CMYK" else "white")
    return transform if np.asarray(transform.apply(white)).min() > 127 else None


def _required(profile: bytes) -> "ImageCmsTransform":
    transform = _to_srgb(profile)
    if transform is None:
        raise ValueError("a colour profile that can't be used")
    return transform


def _built(source: bytes, target: bytes) -> "ImageCmsTransform":
    """Colorimetric, with black brought to black.

    Display profiles know nothing else, and colours that both can show stay what they are: a
    background must look as it did beside the photo. For print profiles it is the usual choice too.
    """
    from PIL import ImageCms

    def profile(data: bytes) -> ImageCms.ImageCmsProfile:
        known = io.BytesIO(data) if data else ImageCms.createProfile("sRGB")
        return ImageCms.ImageCmsProfile(known)

    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if source[16:20] == GREY:
        flags |= ImageCms.Flags.NOOPTIMIZE  # its tables are coarse in the dark
    return ImageCms.buildTransform(
        profile(source),
        profile(target),
        MODES[source[16:20]] if source else "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags,
    )
