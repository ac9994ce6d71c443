"""Planes on a device against OpenCV and numpy."""

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from matte.gpu.planes import (
    NO_DISTANCE,
    box_mean,
    connected_parts,
    dilate,
    dilate_by_square,
    distance_to,
    pad_by_reflection,
    resize,
    resize_levels,
)

LEVELS = np.random.default_rng(0).integers(0, 256, (37, 52), np.uint8)
FLAGS = LEVELS > 250


def planes(values: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None, None]


def flat(tensor: torch.Tensor) -> NDArray[Any]:
    found: NDArray[Any] = tensor[0, 0].numpy()
    return found


@pytest.mark.parametrize("size", [(12, 20), (37, 52), (1, 1), (18, 26)])
def test_levels_shrink_as_bytes_do(size: tuple[int, int]) -> None:
    expected = cv2.resize(LEVELS, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    found = flat(resize_levels(planes(LEVELS).float(), *size))
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 0.02


def test_planes_grow_linearly() -> None:
    values = LEVELS.astype(np.float32)
    expected = cv2.resize(values, (100, 90), interpolation=cv2.INTER_LINEAR)
    assert np.allclose(flat(resize(planes(values), 90, 100)), expected, atol=0.1)


def test_padding_reflects_again_and_again() -> None:
    values = LEVELS[:3, :4].astype(np.float32)
    expected = np.pad(values, ((5, 1), (0, 9)), mode="reflect")
    assert np.array_equal(flat(pad_by_reflection(planes(values), (5, 1), (0, 9))), expected)


def test_means_are_over_a_window_with_mirrored_borders() -> None:
    values = LEVELS.astype(np.float32)
    expected = cv2.blur(values, (7, 7), borderType=cv2.BORDER_REFLECT_101)
    assert np.allclose(flat(box_mean(planes(values), 3)), expected, atol=1e-3)


@pytest.mark.parametrize("side", [2, 3, 4, 7])
def test_flags_are_dilated_as_by_opencv(side: int) -> None:
    kernel = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
    expected = cv2.dilate(FLAGS.astype(np.uint8), kernel, iterations=2) > 0
    assert np.array_equal(flat(dilate(planes(FLAGS), kernel, 2)), expected)
    square = cv2.dilate(FLAGS.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.array_equal(flat(dilate_by_square(planes(FLAGS), 2)), square)


def test_distances_are_opencvs_up_to_the_reach() -> None:
    expected = cv2.distanceTransform((~FLAGS).astype(np.uint8), cv2.DIST_L2, 5)
    near = expected <= 6
    found = flat(distance_to(planes(FLAGS), 6))
    assert np.allclose(found[near], expected[near], atol=1e-3)
    nothing = distance_to(torch.zeros(1, 1, 4, 5, dtype=torch.bool), 6)
    assert (nothing == NO_DISTANCE).all()


def test_only_parts_with_a_seed_are_filled() -> None:
    region = np.array([[1, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 1]], bool)
    seeds = np.zeros_like(region)
    seeds[0, 0] = seeds[2, 2] = True
    found = flat(connected_parts(planes(seeds), planes(region)))
    assert found.astype(int).tolist() == [[1, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
