"""Small pictures with a subject, in every format that matte reads and in some that it doesn't."""

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Pixels = NDArray[Any]
Maker = Callable[[Pixels, random.Random], bytes]


def draw(numbers: random.Random, height: int = 0, width: int = 0) -> Pixels:
    """An RGB picture, bright where the subject is."""
    height, width = height or numbers.randrange(1, 97), width or numbers.randrange(1, 97)
    y, x = np.mgrid[:height, :width]
    inside = ((y / height - 0.55) / 0.4) ** 2 + ((x / width - 0.5) / 0.3) ** 2 < 1
    noise = np.random.default_rng(numbers.randrange(1 << 30)).integers(0, 60, (height, width, 3))
    return np.where(inside[:, :, None], 190, 20).astype(np.uint8) + noise.astype(np.uint8)


def draw_trimap(height: int, width: int) -> Pixels:
    """The trimap of draw(): subject, an unknown band, background."""
    y, x = np.mgrid[:height, :width]
    distance = ((y / height - 0.55) / 0.4) ** 2 + ((x / width - 0.5) / 0.3) ** 2
    return np.select([distance < 0.6, distance < 1.5], [255, 128], 0).astype(np.uint8)


def save(path: Path, pixels: Pixels) -> None:
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def by_pillow(
    pixels: Pixels, numbers: random.Random, kind: str, mode: str, **options: Any
) -> bytes:
    picture = Pillow.fromarray(pixels)
    if mode in ("RGBA", "LA", "PA"):
        picture.putalpha(Pillow.fromarray(draw_trimap(*pixels.shape[:2])))
    if picture.mode != mode:
        picture = picture.convert(mode)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def exif(numbers: random.Random) -> bytes:
    block = Pillow.Exif()
    block[0x112] = numbers.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 65535))
    block[0x10F] = numbers.choice(("maker", "größe", "a\nb", "", "x" * 3000))
    block[0x8769] = {0x9003: "2020:01:01 00:00:00"}
    return block.tobytes()


def make_jpeg(pixels: Pixels, numbers: random.Random) -> bytes:
    mode = numbers.choice(("RGB", "RGB", "L", "CMYK"))
    options: dict[str, Any] = {"progressive": numbers.random() < 0.3}
    if numbers.random() < 0.5:
        options["exif"] = exif(numbers)
    if numbers.random() < 0.2:
        options["icc_profile"] = numbers.randbytes(numbers.choice((1, 128, 4000)))
    return by_pillow(pixels, numbers, "JPEG", mode, **options)


def make_png(pixels: Pixels, numbers: random.Random) -> bytes:
    if numbers.random() < 0.3:
        return deep(pixels, numbers, ".png")
    mode = numbers.choice(("1", "L", "LA", "P", "RGB", "RGB", "RGBA", "I;16"))
    if mode == "I;16":
        return deep(pixels[:, :, 0], numbers, ".png")
    options: dict[str, Any] = {}
    if mode == "P" and numbers.random() < 0.5:
        options["transparency"] = numbers.choice((0, bytes(range(200)), 255))
    if numbers.random() < 0.3:
        options["exif"] = exif(numbers)
    return by_pillow(pixels, numbers, "PNG", mode, **options)


def make_tiff(pixels: Pixels, numbers: random.Random) -> bytes:
    if numbers.random() < 0.3:
        return deep(pixels, numbers, ".tiff")
    mode = numbers.choice(("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "F", "I;16"))
    if mode in ("F", "I;16"):
        grey = pixels[:, :, 0].astype(np.float32 if mode == "F" else np.uint16)
        picture, file = Pillow.fromarray(grey), io.BytesIO()
        picture.save(file, "TIFF")
        return file.getvalue()
    squeezes = [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"]
    squeeze = numbers.choice(["group4", None] if mode == "1" else squeezes)
    options: dict[str, Any] = {"compression": squeeze}
    if squeeze is None and numbers.random() < 0.5:  # libtiff itself refuses odd ones
        options["tiffinfo"] = {274: numbers.choice((0, 3, 6, 9))}
    if numbers.random() < 0.2:
        options |= {"save_all": True, "append_images": [Pillow.fromarray(pixels)]}
    try:
        return by_pillow(pixels, numbers, "TIFF", mode, **options)
    except (OSError, RuntimeError):  # libtiff refuses some sizes
        return by_pillow(pixels, numbers, "TIFF", "RGB")


def make_webp(pixels: Pixels, numbers: random.Random) -> bytes:
    mode = numbers.choice(("RGB", "RGBA"))
    options: dict[str, Any] = {"lossless": numbers.random() < 0.5}
    if numbers.random() < 0.3:
        options["exif"] = exif(numbers)
    if numbers.random() < 0.2:
        options |= {"save_all": True, "append_images": [Pillow.fromarray(255 - pixels)]}
    return by_pillow(pixels, numbers, "WEBP", mode, **options)


def make_bmp(pixels: Pixels, numbers: random.Random) -> bytes:
    return by_pillow(pixels, numbers, "BMP", numbers.choice(("1", "L", "P", "RGB", "RGBA")))


def make_gif(pixels: Pixels, numbers: random.Random) -> bytes:
    more = {"save_all": True, "append_images": [Pillow.fromarray(255 - pixels)]}
    return by_pillow(pixels, numbers, "GIF", "P", **(more if numbers.random() < 0.4 else {}))


def make_avif(pixels: Pixels, numbers: random.Random) -> bytes:
    return by_pillow(pixels, numbers, "AVIF", numbers.choice(("RGB", "RGBA")), speed=10)


def make_ppm(pixels: Pixels, numbers: random.Random) -> bytes:
    head = f"P6\n{pixels.shape[1]} {pixels.shape[0]}\n".encode()
    if numbers.random() < 0.4:
        return head + b"65535\n" + (pixels.astype(">u2") * 257).tobytes()
    return by_pillow(pixels, numbers, "PPM", numbers.choice(("RGB", "L", "1")))


def make_npy(pixels: Pixels, numbers: random.Random) -> bytes:
    kind = numbers.choice(("f4", "f4", "f8", "u1", "f2", "?", "c8", ">f4"))
    array = (draw_trimap(*pixels.shape[:2]) / (1 if kind == "u1" else 255)).astype(kind)
    if numbers.random() < 0.2:
        array = np.asfortranarray(array)
    if numbers.random() < 0.1:
        array = np.full(array.shape, numbers.choice((np.nan, np.inf, -1, 2)), np.float32)
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def make_stranger(pixels: Pixels, numbers: random.Random) -> bytes:
    """A file of a format that matte doesn't read."""
    return numbers.choice(STRANGERS) + numbers.randbytes(numbers.randrange(300))


def deep(pixels: Pixels, numbers: random.Random, ending: str) -> bytes:
    """A picture of 16 bits a channel, some with alpha."""
    array = pixels.astype(np.uint16) * 257
    if array.ndim == 3 and numbers.random() < 0.5:
        array = np.dstack([array, draw_trimap(*array.shape[:2]).astype(np.uint16) * 257])
    return bytes(cv2.imencode(ending, array)[1])


STRANGERS = (
    b"8BPS\0\1",
    b"v/1\1\2\0\0\0",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    b"%PDF-1.7\n",
    b"%!PS-Adobe-3.0 EPSF-3.0\n",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9 +X 9\n",
    b"P3\n2 2\n255\n",
    b"PF\n2 2\n-1\n",
    b"\x93NUMPY\1\0\x76\0{'descr': '|O', 'fortran_order': False, 'shape': (3, 3), }",
    b"\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"(" * 100,
    b"\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 10**9), }",
    b"PK\3\4",
    b"\x89HDF\r\n\x1a\n",
    b"",
    b"\0",
)
MAKERS: dict[str, Maker] = {
    ".jpg": make_jpeg,
    ".png": make_png,
    ".tif": make_tiff,
    ".webp": make_webp,
    ".bmp": make_bmp,
    ".gif": make_gif,
    ".avif": make_avif,
    ".ppm": make_ppm,
    ".npy": make_npy,
    ".psd": make_stranger,
}
