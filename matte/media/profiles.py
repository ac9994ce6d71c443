"""Colours converted from one ICC profile to another; no profile, b"", means sRGB."""

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
from matte.limits import MAX_PROFILE_BYTES

if TYPE_CHECKING:  # at run time it is imported for the first profile
    from PIL.ImageCms import ImageCmsTransform

RGB, GREY, CMYK = b"RGB ", b"GRAY", b"CMYK"
MODES = {RGB: "RGB", GREY: "L", CMYK: "CMYK"}  # Pillow's names
MAX_EQUAL_LEVELS = 1  # of 255, by which two names of one profile may differ


def profile_space(profile: bytes) -> bytes:
    """Return the colour space of an ICC profile: RGB, GREY or CMYK; b"" if it can't be used."""
    found = profile[16:20]
    if found not in MODES or profile[36:40] != b"acsp" or len(profile) > MAX_PROFILE_BYTES:
        return b""
    return found if _srgb_transform(profile) is not None else b""


def convert_to_profile(pixels: Image, source: bytes, target: bytes) -> Image:
    """Return RGB pixels of the profile `source` as pixels of the profile `target`, in their depth.

    Profiles that can't be used, or are not for RGB, are taken for sRGB with a MatteWarning.
    8-bit pixels come out within a level. So do 16-bit ones, without steps: half a level of 255,
    more only where a colour leaves what the target can show.
    """
    source, target = (_usable_profile(profile) for profile in (source, target))
    if source == target or (transform := _profile_transform(source, target)) is None:
        return pixels
    out = np.empty_like(pixels)
    applied = _apply_transform_16bit if pixels.dtype == np.uint16 else _apply_transform
    for part in strip_slices(*pixels.shape[:2]):
        out[part] = applied(transform, pixels[part])
    return Image(out)


def grey_profile_levels(profile: bytes, levels: int) -> NDArray[np.float64]:
    """Return the sRGB level, 0 … 1, of each of so many grey levels of a grey profile."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    found = _apply_transform(_required_srgb_transform(profile), ramp)[0, :, 0] / 255
    return np.interp(np.linspace(0, 255, levels), np.arange(256), found)


def convert_cmyk(picture: Pillow.Image, profile: bytes) -> Pillow.Image:
    """Return a CMYK picture in sRGB."""
    return _required_srgb_transform(profile).apply(picture)


def _usable_profile(profile: bytes) -> bytes:
    """Return the profile if it is a usable one for RGB; else b"", sRGB, with a MatteWarning."""
    if profile and profile_space(profile) != RGB:
        text = "a colour profile is damaged or not for RGB: its colours are taken as sRGB"
        warnings.warn(text, MatteWarning, stacklevel=3)
        return b""
    return profile


def _apply_transform(transform: "ImageCmsTransform", array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the 8-bit pixels (H, W, C) or (H, W) as the transform converts them."""
    return np.asarray(transform.apply(Pillow.fromarray(array)), np.uint8)


def _apply_transform_16bit(
    transform: "ImageCmsTransform", array: NDArray[Any]
) -> NDArray[np.uint16]:
    """Return the 16-bit pixels as the transform converts them: littlecms here has only 8 bits.

    They are interpolated by tetrahedra between the 8-bit colours around each pixel: from the corner
    below it, the channels go up in the order of what they lack.
    """
    corner = np.minimum(array // 257, 254).astype(np.uint8)
    above = (array - corner.astype(np.uint16) * 257) / np.float32(257)
    low, middle, high = np.split(np.sort(above, axis=-1), 3, axis=-1)
    out = (1 - high) * _apply_transform(transform, corner)
    out += (high - middle) * _apply_transform(transform, corner + (above >= high))
    out += (middle - low) * _apply_transform(transform, corner + (above >= middle))
    out += low * _apply_transform(transform, corner + np.uint8(1))
    return np.asarray(np.rint(out * 257), np.uint16)


@functools.lru_cache(maxsize=8)
def _profile_transform(source: bytes, target: bytes) -> "ImageCmsTransform | None":
    """Return the transform between two RGB profiles; None if they are the same by other names."""
    transform = _build_transform(source, target)
    axis = np.linspace(0, 255, 18).astype(np.uint8)
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(1, -1, 3)
    change = _apply_transform(transform, grid).astype(int) - grid
    return transform if np.abs(change).max() > MAX_EQUAL_LEVELS else None


@functools.lru_cache(maxsize=8)
def _srgb_transform(profile: bytes) -> "ImageCmsTransform | None":
    """Return the transform from a profile to sRGB; None if it can't be used.

    Nor is one used that is absurd: in which white is not bright.
    """
    from PIL.ImageCms import PyCMSError

    mode = MODES[profile[16:20]]
    try:
        transform = _build_transform(profile, b"")
    except (PyCMSError, OSError, ValueError):
        return None
    white = Pillow.new(mode, (1, 1), (0, 0, 0, 0) if mode == "CMYK" else "white")
    return transform if np.asarray(transform.apply(white)).min() > 127 else None


def _required_srgb_transform(profile: bytes) -> "ImageCmsTransform":
    """Return the transform to sRGB of a profile that `profile_space` found usable."""
    transform = _srgb_transform(profile)
    if transform is None:
        raise ValueError("a colour profile that can't be used")
    return transform


def _build_transform(source: bytes, target: bytes) -> "ImageCmsTransform":
    """Return littlecms's transform: relative colorimetric, with black point compensation.

    Display profiles know nothing else, and colours that both can show stay what they are: a
    background must look as it did beside the photo. For print profiles it is the usual choice too.
    """
    from PIL import ImageCms

    def profile(data: bytes) -> ImageCms.ImageCmsProfile:
        """Return Pillow's profile; sRGB of no bytes."""
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
