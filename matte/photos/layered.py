"""Finished pictures as files of layers: for Photoshop and GIMP, and for compositing programs."""

import numpy as np

from matte.arrays import Alpha, FloatArray, Image
from matte.compositing.blend import blend_over
from matte.compositing.canvas import darken
from matte.imaging.bit_depth import convert_depth
from matte.imaging.light import to_light
from matte.media.exr import encode_exr
from matte.media.pictures import Photo
from matte.media.profiles import convert_to_profile
from matte.media.psd import PsdLayer, encode_psd
from matte.photos.finishing import PictureLayers

WHITE = Image(np.full((1, 1, 3), 255, np.uint8))


def encode_layers(layers: PictureLayers, photo: Photo, suffix: str) -> bytes:
    """Return the file of a picture's layers, in one of the formats of LAYERED."""
    return _as_psd(layers, photo) if suffix == ".psd" else _as_exr(layers, photo)


def _as_psd(layers: PictureLayers, photo: Photo) -> bytes:
    """Return a document: the photo, hidden, and the subject's own colours, both with the mask.

    The masks are not applied, so that an editor can paint in them. A shadow is black, with a mask
    that says how dark it is.
    """
    ground, alpha, shadow = layers.ground, layers.alpha, layers.shadow
    found = [] if ground is None else [PsdLayer("background", ground)]
    behind = Image(convert_depth(WHITE, layers.colours.dtype)) if ground is None else ground
    if shadow is not None:
        found.append(PsdLayer("shadow", Image(np.zeros_like(layers.colours)), Alpha(shadow)))
        behind = darken(behind, shadow)
    if layers.original is not None:
        found.append(PsdLayer("photo", layers.original, alpha, is_hidden=True))
    found.append(PsdLayer("subject", layers.colours, alpha))
    merged = blend_over(layers.colours, alpha, behind, "srgb")
    return encode_psd(found, merged, photo.profile, photo.exif)


def _as_exr(layers: PictureLayers, photo: Photo) -> bytes:
    """Return linear light: the premultiplied subject, its straight colours, shadow, background.

    The shadow is premultiplied black, which goes over the background and under the subject.
    """
    alpha = np.asarray(layers.alpha, np.float32)[:, :, None]
    colours = _light(layers.colours, photo)
    found = {"": np.concatenate([colours * alpha, alpha], axis=2), "foreground": colours}
    if layers.shadow is not None:
        black = np.zeros((*layers.shadow.shape, 3), np.float32)
        found["shadow"] = np.concatenate([black, _shadow_alpha(layers.shadow)[:, :, None]], axis=2)
    if layers.ground is not None:
        found["background"] = _light(layers.ground, photo)
    return encode_exr(found)


def _shadow_alpha(shadow: FloatArray) -> FloatArray:
    """Return the share of light that a shadow takes, by how much it darkens stored values.

    On white that is exact; on other colours, whose curve is nearly a power, nearly so.
    """
    kept = np.rint((1 - shadow) * np.iinfo(np.uint16).max).astype(np.uint16)
    return np.asarray(1 - to_light(kept), np.float32)


def _light(colours: Image, photo: Photo) -> FloatArray:
    """Return the light of colours with sRGB's primaries, 0 … 1."""
    srgb = convert_to_profile(Image(np.ascontiguousarray(colours)), photo.profile, b"")
    return np.asarray(to_light(srgb), np.float32)
