"""Against hand-counted pictures, and against a slow implementation that shares no code."""

import math
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matte.arrays import Alpha, as_alpha
from matte.metrics.mattes import conn, grad, mad, matte_scores, mse, sad

Grey = NDArray[np.uint8]
Region = NDArray[np.bool_]

EVERYWHERE = np.ones((9, 11), bool)
# Steps that meet the thresholds of Conn exactly, and others.
levels = st.sampled_from([0, 1, 25, 26, 51, 77, 102, 128, 153, 200, 204, 254, 255])
eight_bits = arrays(np.uint8, (9, 11), elements=levels)
alphas = eight_bits.map(as_alpha)
regions = arrays(bool, (9, 11))


def test_differences_by_hand() -> None:
    truth = Alpha(np.array([[0, 0.5, 1, 1]], np.float32))
    alpha = Alpha(np.array([[0.5, 0.5, 0, 0]], np.float32))
    region = np.array([[True, True, True, False]])
    assert sad(alpha, truth, region) == pytest.approx(0.0015)
    assert mse(alpha, truth, region) == pytest.approx(1.25 / 3)
    assert mad(alpha, truth, region) == pytest.approx(0.5)


def test_an_empty_region_has_no_error() -> None:
    one, zero = Alpha(np.ones((9, 11), np.float32)), Alpha(np.zeros((9, 11), np.float32))
    assert set(matte_scores(one, zero, ~EVERYWHERE).values()) == {0}


def test_the_gradient_of_a_step_by_hand() -> None:
    """A vertical edge: across it, the taps on one side of it add up."""
    truth = np.zeros((9, 12), np.float32)
    truth[:, 6:] = 1
    flat = Alpha(np.zeros((9, 12), np.float32))
    x = np.arange(-4, 5)  # 4 is where a Gaussian of 1.4 falls below a hundredth of its integral
    curve = np.exp(-(x**2) / 3.92)
    bell = curve / math.sqrt((curve**2).sum())
    slope = x * curve / math.sqrt(((x * curve) ** 2).sum())
    reached = np.array([float(slope[np.minimum(c + x, 11) >= 6].sum()) for c in range(12)])
    expected = 9 * ((reached * bell.sum()) ** 2).sum() / 1000
    assert grad(flat, Alpha(truth), np.ones((9, 12), bool)) == pytest.approx(expected)


def test_too_little_contrast_is_not_in_the_gradient() -> None:
    ramp = np.tile(np.linspace(0, 1, 11, dtype=np.float32), (9, 1))
    assert grad(Alpha(ramp * np.float32(0.9)), Alpha(ramp), EVERYWHERE) < 1e-12
    assert sad(Alpha(ramp * np.float32(0.9)), Alpha(ramp), EVERYWHERE) > 0.004


def test_connectivity_by_hand() -> None:
    """A body, and a crumb that only the found alpha joins to it by 0.3."""
    truth = Alpha(np.array([[1, 1, 1, 0, 1]], np.float32))
    alpha = Alpha(np.array([[1, 1, 1, 0.3, 1]], np.float32))
    region = np.ones((1, 5), bool)
    # The crumb is loose in both, the bridge is 0.3 above its level of 0 in one.
    assert conn(alpha, truth, region) == pytest.approx(0.3 / 1000)
    # 0.1 above is as good as connected.
    nearly = Alpha(np.array([[1, 1, 1, 0.1, 1]], np.float32))
    assert conn(nearly, truth, region) == 0


def test_the_largest_part_is_one_of_the_subject() -> None:
    """Though there is more background than subject."""
    truth = np.zeros((20, 20), np.float32)
    truth[2:5, 2:5] = 1
    truth[10:12, 10:12] = 1
    alpha = truth.copy()
    alpha[3, 3] = 0.5  # level of its own 0.5, φ 1 there; in the truth it is 0.5 above
    alpha[10, 10] = 0.5  # loose: level 0, so 0.5 and 1 above it
    everywhere = np.ones((20, 20), bool)
    assert conn(Alpha(alpha), Alpha(truth), everywhere) == pytest.approx((0.5 + 0.5) / 1000)
    diagonal = np.eye(2, dtype=np.float32)
    # Corners don't connect: one of the two pixels is loose in both alphas.
    assert conn(Alpha(diagonal * 0.5), Alpha(diagonal), np.ones((2, 2), bool)) == pytest.approx(
        (0.5 + 0.5) / 1000
    )


@given(alphas, regions)
def test_the_truth_has_no_error(truth: Alpha, region: Region) -> None:
    assert set(matte_scores(truth, truth, region).values()) == {0}


@given(alphas, alphas)
def test_errors_are_symmetric_and_not_negative(a: Alpha, b: Alpha) -> None:
    there, back = matte_scores(a, b, EVERYWHERE), matte_scores(b, a, EVERYWHERE)
    assert there == pytest.approx(back)
    assert min(there.values()) >= 0
    assert there["mse"] <= there["mad"] + 1e-9
    assert there["sad"] == pytest.approx(there["mad"] * 99 / 1000)


@given(alphas, alphas)
@settings(max_examples=30)
def test_regions_add_up(a: Alpha, b: Alpha) -> None:
    left = np.zeros((9, 11), bool)
    left[:, :4] = True
    for metric in (sad, grad, conn):
        whole = metric(a, b, EVERYWHERE)
        assert metric(a, b, left) + metric(a, b, ~left) == pytest.approx(whole, abs=1e-9)


@given(eight_bits, eight_bits, regions)
@settings(max_examples=40)
def test_grad_and_conn_are_the_slow_ones(a: Grey, b: Grey, region: Region) -> None:
    alpha, truth = as_alpha(a), as_alpha(b)
    assert grad(alpha, truth, region) == pytest.approx(slow_grad(a, b, region), abs=1e-7)
    assert conn(alpha, truth, region) == pytest.approx(slow_conn(a, b, region), abs=1e-6)


Grid = list[list[float]]


def slow_grad(a: Grey, b: Grey, region: Region) -> float:
    lengths = [slow_gradient(x) for x in (a, b)]
    total = 0.0
    for y, x in zip(*np.nonzero(region), strict=True):
        total += (lengths[0][y][x] - lengths[1][y][x]) ** 2
    return total / 1000


def slow_gradient(a: Grey) -> Grid:
    low, high = int(a.min()), int(a.max())
    values = [[(int(v) - low) / ((high - low) or 1) for v in row] for row in a]
    sigma, kernel = 1.4, {}
    half = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * 0.01)))
    for i in range(-half, half + 1):
        for j in range(-half, half + 1):
            density = math.exp(-(i * i + j * j) / (2 * sigma**2)) / (2 * math.pi * sigma**2)
            kernel[i, j] = -j * density / sigma**2
    norm = math.sqrt(sum(v * v for v in kernel.values()))
    height, width = a.shape
    result = []
    for y in range(height):
        row = []
        for x in range(width):
            across = down = 0.0
            for (i, j), weight in kernel.items():
                v = values[min(max(y - i, 0), height - 1)][min(max(x - j, 0), width - 1)]
                across += weight * v
                v = values[min(max(y - j, 0), height - 1)][min(max(x - i, 0), width - 1)]
                down += weight * v
            row.append(math.hypot(across, down) / norm)
        result.append(row)
    return result


def slow_conn(a: Grey, b: Grey, region: Region) -> float:
    """In exact tenths: an 8-bit value v is at or above k / 10 if 10 v ≥ 255 k."""
    height, width = a.shape
    level = {(y, x): 1.0 for y in range(height) for x in range(width)}
    out: set[tuple[int, int]] = set()
    for k in range(1, 11):
        both = {p for p in level if 10 * min(int(a[p]), int(b[p])) >= 255 * k}
        largest = slow_largest(both)
        for p in level:
            if p not in largest and p not in out:
                out.add(p)
                level[p] = (k - 1) / 10
    total = 0.0
    for p in level:
        if region[p]:
            above = [int(x[p]) / 255 - level[p] for x in (a, b)]
            phi = [1 - d * (d >= 0.15) for d in above]
            total += abs(phi[0] - phi[1])
    return total / 1000


def slow_largest(points: set[tuple[int, int]]) -> set[tuple[int, int]]:
    left, best = sorted(points), set[tuple[int, int]]()
    seen: set[tuple[int, int]] = set()
    for start in left:
        if start in seen:
            continue
        part, queue = {start}, deque([start])
        while queue:
            y, x = queue.popleft()
            for p in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if p in points and p not in part:
                    part.add(p)
                    queue.append(p)
        seen |= part
        if len(part) > len(best):
            best = part
    return best
