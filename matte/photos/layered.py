"""Finished pictures as files of layers: for Photoshop and GIMP, and for compositing programs."""

import numpy as np

from matte.arrays import FloatArray, Image
from matte.compositing.blend import blend_over
from matte.compositing.light import to_light
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

    The masks are not applied, so that an editor can paint in them.
    """
    ground, alpha = layers.ground, layers.alpha
    found = [] if ground is None else [PsdLayer("background", ground)]
    found.append(PsdLayer("photo", layers.original, alpha, is_hidden=True))
    found.append(PsdLayer("subject", layers.colours, alpha))
    merged = blend_over(layers.colours, alpha, WHITE if ground is None else ground, "srgb")
    return encode_psd(found, merged, photo.profile, photo.exif)


def _as_exr(layers: PictureLayers, photo: Photo) -> bytes:
    """Return linear light: the premultiplied subject, its straight colours, the background."""
    alpha = np.asarray(layers.alpha, np.float32)[:, :, None]
    colours = _light(layers.colours, photo)
    found = {"": np.concatenate([colours * alpha, alpha], axis=2), "foreground": colours}
    if layers.ground is not None:
        found["background"] = _light(layers.ground, photo)
    return encode_exr(found)


def _light(colours: Image, photo: Photo) -> FloatArray:
    """Return the light of colours with sRGB's primaries, 0 … 1."""
    srgb = convert_to_profile(Image(np.ascontiguousarray(colours)), photo.profile, b"")
    return np.asarray(to_light(srgb), np.float32)
