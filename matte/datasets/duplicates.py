"""Pictures that are nearly the same, found by their difference hashes."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 128
# Bits that hashes of nearly the same picture may differ in. In 2,889 photos of nine sets this finds
# six of the seven pairs taken within a moment, and one false pair, of two empty skies. A single
# hash of 64 bits, of which 4 may differ, finds three of the seven, and the false pair too.
MAX_DIFFERENT_BITS = 14
MATRIX_ROWS_AT_ONCE = 512  # of the distance matrix, to bound memory


def difference_hashes(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint64]:
    """Return two difference hashes of each (H, W, 3) RGB or (H, W) picture, as an array (N, 2).

    The picture is averaged to a few grey cells. Each of the first 64 bits says whether a cell is
    brighter than its left neighbour, each of the others whether it is brighter than the upper one.
    Size, light and compression hardly change them.
    """
    return np.array([_difference_hash(picture) for picture in pictures], np.uint64).reshape(-1, 2)


def near_duplicates(
    hashed: NDArray[np.uint64], distance: int = MAX_DIFFERENT_BITS
) -> NDArray[np.intp]:
    """Return the pairs (K, 2) of indices i < j, sorted, whose hashes are alike.

    `hashed` is (N, 2); alike are those that differ in at most `distance` of their 128 bits.
    """
    octets = np.ascontiguousarray(hashed, np.uint64).view(np.uint8).reshape(-1, BITS // 8)
    # With bits as ±1, a dot product is 128 − 2 × the number of bits that differ, exactly.
    signs = np.unpackbits(octets, axis=1).astype(np.float32) * 2 - 1
    near = [np.empty((0, 2), np.intp)]
    for start in range(0, len(signs), MATRIX_ROWS_AT_ONCE):
        products = signs[start : start + MATRIX_ROWS_AT_ONCE] @ signs[start:].T
        i, j = np.nonzero(np.triu(products >= BITS - 2 * distance, 1))
        near.append(np.column_stack([i, j]) + start)
    return np.concatenate(near)


def duplicate_families(
    hashed: NDArray[np.uint64], distance: int = MAX_DIFFERENT_BITS
) -> NDArray[np.intp]:
    """Return for each picture the first index of its family, which near duplicates connect.

    `hashed` is (N, 2), the result (N,); a picture without near duplicates is its own family.
    """
    first = np.arange(len(hashed), dtype=np.intp)
    pairs = near_duplicates(hashed, distance)
    while pairs.size:
        lower = np.minimum(first[pairs[:, 0]], first[pairs[:, 1]])
        spread = first.copy()
        np.minimum.at(spread, pairs[:, 0], lower)
        np.minimum.at(spread, pairs[:, 1], lower)
        if (spread == first).all():
            break
        first = spread
    return first


def _difference_hash(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Return 64 bits of brightness changes across the picture, and 64 down."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    across = np.asarray(cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA), np.int16)
    down = np.asarray(cv2.resize(grey, (8, 9), interpolation=cv2.INTER_AREA), np.int16)
    return _bits_to_int(across[:, 1:] > across[:, :-1]), _bits_to_int(down[1:] > down[:-1])


def _bits_to_int(bits: NDArray[np.bool_]) -> int:
    """Return the number that the bits are in binary, the first bit the highest."""
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
