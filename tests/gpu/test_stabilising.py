"""Averages along the motion: what clips/test_device_steps.py compares frame by frame."""

import torch

from matte.gpu.stabilising import average_along_motion, blend_confidence, neighbour_mean

STILL = torch.zeros(1, 2, 4, 4)


def plane(value: float) -> torch.Tensor:
    return torch.full((1, 1, 8, 8), value)


def test_confidence_is_blended_by_its_weight() -> None:
    blended, average = blend_confidence(
        plane(1.0), plane(0.0)[..., :4, :4], STILL, torch.tensor(0.25)
    )
    assert torch.allclose(blended, plane(0.75))
    assert torch.allclose(average, plane(0.75)[..., :4, :4])


def test_alpha_is_averaged_near_its_edge_where_frames_agree() -> None:
    flow = torch.zeros(1, 4, 4, 4)
    flow[:, 2] = 0.5
    grey = torch.full((1, 3, 8, 8), 100.0)
    edge = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    edge[..., :2, :] = 1
    found = average_along_motion((plane(0.2), plane(0.6)), (grey, grey), flow, edge, 0.01)
    assert torch.allclose(found[..., :4, :], plane(0.4)[..., :4, :])
    assert torch.allclose(found[..., 4:, :], plane(0.6)[..., 4:, :])
    other = average_along_motion((plane(0.2), plane(0.6)), (grey, grey + 50), flow, edge, 0.01)
    assert torch.allclose(other, plane(0.6))


def test_an_alpha_that_stands_out_alone_is_its_neighbours_mean() -> None:
    grey = torch.full((1, 3, 8, 8), 100.0)
    followed = torch.ones(1, 1, 4, 4)
    alphas = plane(0.2), plane(0.9), plane(0.24)
    assert torch.allclose(neighbour_mean(alphas, (grey,) * 3, followed, 0.1), plane(0.22))
    alphas = plane(0.2), plane(0.9), plane(0.8)
    assert torch.equal(neighbour_mean(alphas, (grey,) * 3, followed, 0.1), plane(0.9))
