"""Pictures read and encoded: what is behind a file name becomes an array, and back."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from matte.arrays import Alpha, Image, Mask, Trimap, as_alpha, as_image, as_mask, as_trimap
from matte.errors import OutputError, PictureError

# What a name can end with, and whether such a file holds an alpha channel.
WRITABLE = {".png": True, ".tif": True, ".tiff": True, ".webp": True, ".jpg": False, ".jpeg": False}
ALPHA_WRITABLE = (".png", ".tif", ".tiff", ".npy")


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
    """Alpha from a grey picture, from one's transparency, or from a float .npy."""
    if path.suffix.lower() == ".npy":
        try:
            return as_alpha(np.load(path, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise PictureError(f"can't read {path}", _first_line(error)) from error
    return as_alpha(_decode(path, grey=True))


def encode(array: NDArray[Any], suffix: str) -> bytes:
    """A file's bytes: grey, RGB or RGBA as uint8 or uint16, in the format that `suffix` names.

    JPEG and WebP hold 8 bits; 16-bit arrays are rounded for them.
    """
    suffix = suffix.lower()
    if suffix not in WRITABLE:
        raise OutputError(f"can't write {suffix or 'a name without an ending'}", _endings(WRITABLE))
    if array.dtype == np.uint16 and suffix in (".jpg", ".jpeg", ".webp"):
        array = np.rint(array / 257).astype(np.uint8)
    if array.ndim == 3:
        code = cv2.COLOR_RGB2BGR if array.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        array = cv2.cvtColor(array, code)
    options = {
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100: lossless
    }
    done, data = cv2.imencode(suffix, array, options.get(suffix, []))
    if not done:
        raise OutputError(f"OpenCV can't encode a {array.shape} picture as {suffix}")
    return bytes(data)


def encode_alpha(alpha: Alpha, suffix: str) -> bytes:
    """Alpha as a file: .npy float32 as it is, .tif 16-bit, .png 8-bit, both rounded."""
    suffix = suffix.lower()
    if suffix not in ALPHA_WRITABLE:
        raise OutputError(f"can't write alpha as {suffix!r}", _endings(ALPHA_WRITABLE))
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
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"can't read {path}", str(error.strerror)) from error
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            picture.load()
            deep = picture.mode.startswith("I") or _bits(picture, data) == 16
            if deep and not picture.has_transparency_data:
                return _decode_deep(data, path, grey)
            return _flatten(ImageOps.exif_transpose(picture), grey)
    except Pillow.DecompressionBombError as error:
        raise PictureError(f"{path} is too large", "give less than 179 megapixels") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        remedy = "give a whole JPEG, PNG, TIFF, WebP or BMP"
        raise PictureError(f"{path} is not a readable picture", remedy) from error


def _flatten(picture: Pillow.Image, grey: bool) -> NDArray[Any]:
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L" if grey else "RGB"))
    rgba = picture.convert("RGBA")
    if grey:
        return np.asarray(rgba.getchannel("A"))
    white = Pillow.new("RGBA", rgba.size, "white")
    return np.asarray(Pillow.alpha_composite(white, rgba).convert("RGB"))


def _decode_deep(data: bytes, path: Path, grey: bool) -> NDArray[Any]:
    """Through OpenCV: Pillow would cut 16-bit colours to 8."""
    kind = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
    array = cv2.imdecode(np.frombuffer(data, np.uint8), kind | cv2.IMREAD_ANYDEPTH)
    if array is None:
        raise PictureError(
            f"{path} is not a readable picture", "save it again as 16-bit PNG or TIFF"
        )
    return np.asarray(array if grey else cv2.cvtColor(array, cv2.COLOR_BGR2RGB))


def _bits(picture: Pillow.Image, data: bytes) -> int:
    """Bits a channel, where the format may have more than 8."""
    if picture.format == "PNG":
        return data[24]
    if picture.format == "TIFF":
        bits = picture.tag_v2.get(258, (8,))  # type: ignore[attr-defined]  # TIFF pictures have it
        return int(bits[0] if isinstance(bits, tuple) else bits)
    return 8


def _endings(known: Any) -> str:
    return "use " + ", ".join(sorted(known))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
