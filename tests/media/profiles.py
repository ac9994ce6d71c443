"""ICC profiles made by hand, and the colours that they mean."""

import struct
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHITE = (0.9642, 1.0, 0.8249)  # D50, to which profiles adapt
# Columns: the XYZ of red, green and blue.
P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
PROPHOTO = np.array(
    [[0.79767, 0.13519, 0.03134], [0.28804, 0.71188, 0.00009], [0.00000, 0.00000, 0.82491]]
)


def matrix_profile(colorants: NDArray[Any], gamma: float | None = None) -> bytes:
    """An RGB profile with these primaries, and with sRGB's curve or a power."""
    curve = _srgb_curve() if gamma is None else _power(gamma)
    tags = {name: _xyz(colorants[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return profile(b"RGB ", b"mntr", tags)


def display_p3() -> bytes:
    return matrix_profile(P3)


def grey_profile(gamma: float) -> bytes:
    return profile(b"GRAY", b"mntr", {b"kTRC": _power(gamma)})


def cmyk_profile() -> bytes:
    """Inks whose 16 overprints have plausible Lab colours; between them it is linear."""
    clut = bytearray()
    for c, m, y, k in product((0, 1), repeat=4):
        left = 1 - k
        lightness = 100 * left * (1 - 0.38 * c) * (1 - 0.50 * m) * (1 - 0.06 * y)
        a = left * (-37 * c + 75 * m - 5 * y)
        b = left * (-50 * c - 5 * m + 93 * y)
        clut += bytes(int(np.clip(v, 0, 255)) for v in (lightness * 2.55, a + 128, b + 128))
    identity = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + identity * 4 + clut + identity * 3
    return profile(b"CMYK", b"prtr", {b"A2B0": table}, b"Lab ")


def profile(
    space: bytes, kind: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ "
) -> bytes:
    text = b"by hand\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0" + text,
        b"wtpt": _xyz(WHITE),
        **tags,
    }
    body, table = b"", struct.pack(">I", len(tags))
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"none", 0x02400000, kind, space, connection
    )
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(round(v * 65536) for v in WHITE)) + bytes(48)
    return header + table + body


def linear(levels: NDArray[Any], gamma: float | None = None) -> NDArray[Any]:
    """Light from 0 … 1 of sRGB's curve, or of a power."""
    if gamma is not None:
        return np.asarray(levels**gamma)
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def coded(light: NDArray[Any], gamma: float | None = None) -> NDArray[Any]:
    """The inverse of linear, what is out of range cut off."""
    light = np.clip(light, 0, 1)
    if gamma is not None:
        return np.asarray(light ** (1 / gamma))
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _xyz(values: Any) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(v) * 65536) for v in values))


def _power(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _srgb_curve() -> bytes:
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para\0\0\0\0\0\3\0\0" + struct.pack(">5i", *(round(v * 65536) for v in values))
