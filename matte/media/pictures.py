"""Pictures read and encoded: what is behind a file name becomes an array, and back."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Alpha, Image, Mask, Trimap, as_alpha, as_image, as_mask, as_trimap
from matte.errors import OutputError, PictureError
from matte.imaging.orientation import orientation, upright

OPAQUE = (".jpg", ".jpeg")  # formats without an alpha channel
WRITABLE = (".png", ".tif", ".tiff", ".webp", *OPAQUE)
ALPHA_WRITABLE = (".png", ".tif", ".tiff", ".npy")
LONGEST = 1_000_000  # pixels on one side; what the decoders allow

# What goes wrong is raised; nothing needs to be printed too.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(path: Path) -> Image:
    """The picture as RGB, upright as its EXIF orientation says, 16 bits a channel kept.

    Transparent parts are put on white.
    """
    return as_image(_decode(path, grey=False))


def read_mask(path: Path) -> Mask:
    """A mask from a grey picture; of a picture with transparency, what is opaque."""
    return as_mask(_decode(path, grey=True))


def read_trimap(path: Path) -> Trimap:
    """A trimap from a grey picture, its values sorted at 85 and 170."""
    return as_trimap(_decode(path, grey=True))


def read_alpha(path: Path) -> Alpha:
    """Alpha from a grey picture, from one's transparency, or from floats in a .npy or .tif."""
    if path.suffix.lower() == ".npy":
        try:
            return as_alpha(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError, MemoryError) as error:
            raise PictureError(f"can't read {path} ({_reason(error)})", "save it again") from error
    return as_alpha(_decode(path, grey=True))


def encode(array: NDArray[Any], suffix: str) -> bytes:
    """A file's bytes: grey, RGB or RGBA as uint8 or uint16, in the format that `suffix` names.

    JPEG and WebP hold 8 bits; 16-bit arrays are rounded for them.
    """
    suffix = suffix.lower()
    if array.dtype == np.uint16 and suffix in (*OPAQUE, ".webp"):
        array = np.rint(array / 257).astype(np.uint8)
    if array.ndim == 3:
        code = cv2.COLOR_RGB2BGR if array.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        array = cv2.cvtColor(array, code)
    options = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100: lossless
    }
    try:
        done, data = cv2.imencode(suffix, array, options.get(suffix, []))
    except cv2.error:
        done, data = False, np.empty(0, np.uint8)
    if not done:
        size = f"{array.shape[1]}×{array.shape[0]}"
        raise OutputError(f"a picture of {size} can't be saved as {suffix}", "save it as .png")
    return bytes(data)


def encode_alpha(alpha: Alpha, suffix: str) -> bytes:
    """Alpha as a file: .npy float32 as it is, .tif 16-bit, .png 8-bit, both rounded."""
    suffix = suffix.lower()
    if suffix == ".npy":
        file = io.BytesIO()
        np.save(file, alpha, allow_pickle=False)
        return file.getvalue()
    return encode(quantise(alpha, np.uint8 if suffix == ".png" else np.uint16), suffix)


def quantise(alpha: Alpha, dtype: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    """Alpha rounded to the full range of `dtype`."""
    return np.asarray(np.rint(alpha * np.float32(np.iinfo(dtype).max)), dtype)


def with_alpha(foreground: Image, alpha: Alpha) -> NDArray[Any]:
    """The cut-out as straight (not premultiplied) RGBA in the foreground's depth."""
    return np.dstack([foreground, quantise(alpha, foreground.dtype.type)])


def _decode(path: Path, grey: bool) -> NDArray[Any]:
    """RGB or grey as uint8 or uint16; grey may be float32."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise PictureError(f"can't read {path} ({_reason(error)})", "name a picture") from error
    unreadable = f"{path} is not a readable picture"
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            if max(picture.size) > LONGEST:
                raise PictureError(f"{path} is {picture.width}×{picture.height}", "cut it up first")
            picture.load()
            if picture.mode == "F":
                return upright(np.asarray(picture, np.float32), orientation(picture))
            if picture.mode.startswith("I") or _bits(picture, data) == 16:
                return _decode_deep(picture, data, grey)
            stored = _flatten(np.asarray(_plain_mode(picture)), grey)
            return upright(stored, orientation(picture))
    except Pillow.DecompressionBombError as error:
        raise PictureError(f"{path} is too large", "give less than 179 megapixels") from error
    except (OSError, SyntaxError, ValueError, EOFError, cv2.error) as error:
        remedy = "give a whole JPEG, PNG, TIFF, WebP or BMP of 8 or 16 bits"
        raise PictureError(unreadable, remedy) from error


def _plain_mode(picture: Pillow.Image) -> Pillow.Image:
    """The picture as grey, RGB, or, with transparency, RGBA."""
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _flatten(array: NDArray[Any], grey: bool) -> NDArray[Any]:
    """Grey or RGB from grey, RGB or RGBA.

    As grey, a picture with transparency is its alpha channel; as RGB, it is put on white.
    """
    top = np.iinfo(array.dtype).max
    transparent = array.ndim == 3 and array.shape[2] == 4 and (array[:, :, 3] < top).any()
    if grey and transparent:
        return np.ascontiguousarray(array[:, :, 3])
    if grey:
        return (
            array
            if array.ndim == 2
            else np.asarray(cv2.cvtColor(array[:, :, :3], cv2.COLOR_RGB2GRAY))
        )
    if transparent:
        alpha = array[:, :, 3:] / np.float32(top)
        return np.asarray(np.rint(alpha * array[:, :, :3] + (1 - alpha) * top), array.dtype)
    if array.ndim == 2:
        return np.repeat(array[:, :, None], 3, axis=2)
    return np.ascontiguousarray(array[:, :, :3])


def _decode_deep(picture: Pillow.Image, data: bytes, grey: bool) -> NDArray[Any]:
    """Through OpenCV: Pillow would cut 16-bit colours to 8."""
    if picture.format == "PNG":
        data = _without_profile(data)
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if array is None or array.dtype not in (np.uint8, np.uint16):
        raise ValueError("OpenCV can't decode it as 8 or 16 bits")
    if array.ndim == 3:
        code = cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        array = cv2.cvtColor(array, code)
    if picture.format == "TIFF" and _tag(picture, 262, 1) == 0:  # white is zero
        array = np.invert(np.asarray(array, array.dtype))
    return upright(_flatten(np.asarray(array), grey), orientation(picture))


def _without_profile(data: bytes) -> bytes:
    """A PNG without what OpenCV's decoder grumbles about: all optional parts but transparency."""
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if name[:1].isupper() or name == b"tRNS":
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _bits(picture: Pillow.Image, data: bytes) -> int:
    """Bits a channel, where the format may have more than 8."""
    if picture.format == "PNG":
        return data[24]
    return _tag(picture, 258, 8) if picture.format == "TIFF" else 8


def _tag(picture: Pillow.Image, number: int, default: int) -> int:
    """A number among a TIFF's tags, the first of several."""
    value = picture.tag_v2.get(number, default)  # type: ignore[attr-defined]  # TIFFs have it
    return int(value[0] if isinstance(value, tuple) else value)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__
