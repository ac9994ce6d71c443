import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Uint8Array
from matte.datasets import duplicates
from matte.datasets.duplicates import difference_hashes, duplicate_families, near_duplicates
from tests.conftest import SAMPLE
from tests.datasets.sets import photo


def portrait() -> Uint8Array:
    return np.asarray(cv2.imread(str(SAMPLE), cv2.IMREAD_COLOR_RGB), np.uint8)


def test_size_light_and_compression_do_not_hide_a_duplicate() -> None:
    picture = portrait()
    small = np.asarray(cv2.resize(picture, (200, 170), interpolation=cv2.INTER_AREA), np.uint8)
    _, stream = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])
    coarse = np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR), np.uint8)
    bright = np.clip(picture.astype(int) + 25, 0, 255).astype(np.uint8)
    others = [photo(64, 64, seed) for seed in range(5)]
    pairs = near_duplicates(difference_hashes([picture, *others, small, coarse, bright]))
    assert pairs.tolist() == [[0, 6], [0, 7], [0, 8], [6, 7], [6, 8], [7, 8]]


def test_a_mirrored_picture_is_another() -> None:
    picture = portrait()
    assert len(near_duplicates(difference_hashes([picture, picture[:, ::-1]]))) == 0


def test_none_and_one_have_no_pairs() -> None:
    assert difference_hashes([]).shape == (0, 2)
    assert near_duplicates(difference_hashes([])).shape == (0, 2)
    assert duplicate_families(difference_hashes([photo()])).tolist() == [0]


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2**64 - 1)), max_size=12),
    st.integers(0, 40),
)
def test_pairs_are_those_of_counting_bits(numbers: list[tuple[int, int]], distance: int) -> None:
    hashed = np.array(numbers, np.uint64).reshape(-1, 2)
    expected = [
        [i, j]
        for i in range(len(numbers))
        for j in range(i + 1, len(numbers))
        if sum((a ^ b).bit_count() for a, b in zip(numbers[i], numbers[j], strict=True)) <= distance
    ]
    assert near_duplicates(hashed, distance).tolist() == expected


def test_blocks_of_the_matrix_fit_together() -> None:
    hashed = np.random.default_rng(1).integers(
        0, 2**62, (duplicates.MATRIX_ROWS_AT_ONCE + 90, 2), np.uint64
    )
    hashed[3] = hashed[-1] = hashed[duplicates.MATRIX_ROWS_AT_ONCE] = hashed[7]
    pairs = near_duplicates(hashed).tolist()
    last = len(hashed) - 1
    middle = duplicates.MATRIX_ROWS_AT_ONCE
    assert pairs == [[3, 7], [3, middle], [3, last], [7, middle], [7, last], [middle, last]]


def test_chains_make_one_family() -> None:
    # Each differs from the next in 10 bits, the first from the last in 30.
    chain = [[0, 0], [0, 2**10 - 1], [0, 2**20 - 1], [0, 2**30 - 1]]
    far = [2**64 - 1, 2**64 - 1]
    hashed = np.array([chain[2], far, chain[0], chain[3], chain[1]], np.uint64)
    assert duplicate_families(hashed).tolist() == [0, 1, 0, 0, 0]
