import torch

from matte.training.losses import (
    absolute_loss,
    focal_loss,
    gradient_loss,
    laplacian_loss,
    segmentation_losses,
    summed_cross_entropy,
)


def segmentation_loss(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    return torch.stack(list(segmentation_losses(logits, label).values())).sum()


def labels() -> torch.Tensor:
    label = torch.zeros(2, 8, 8, dtype=torch.uint8)
    label[:, :, :4] = 255
    label[:, 6:] = 128
    return label


def test_what_is_nearly_right_hardly_counts_in_the_focal_loss() -> None:
    truth = torch.tensor([[[True, False]]])
    everywhere, first = torch.ones_like(truth), torch.tensor([[[True, False]]])
    losses = [focal_loss(torch.tensor([[[x, -x]]]), truth, everywhere) for x in (4.0, 1.0, -1.0)]
    assert losses[0] < 0.01 * losses[1] < 0.1 * losses[2]
    wrong = torch.tensor([[[4.0, 4.0]]])
    assert focal_loss(wrong, truth, first) < 0.01 < focal_loss(wrong, truth, everywhere)


def test_label_128_does_not_count() -> None:
    label = labels()
    torch.manual_seed(0)
    logits = torch.randn(2, 1, 8, 8, requires_grad=True)
    loss = segmentation_loss(logits, label)
    other = logits.detach().clone()
    other[:, :, 6:] = 50
    assert segmentation_loss(other, label) == loss
    loss.backward()  # type: ignore[no-untyped-call]  # torch
    assert logits.grad is not None
    assert (logits.grad[:, :, 6:] == 0).all()
    assert (logits.grad[:, :, :6] != 0).all()


def test_right_is_cheaper_than_wrong() -> None:
    label = labels()
    right = torch.where(label == 255, 20.0, -20.0)[:, None]
    assert segmentation_loss(right, label) < 1e-3
    assert segmentation_loss(-right, label) > 10


def test_nothing_that_counts_is_no_error() -> None:
    label = torch.full((1, 8, 8), 128, dtype=torch.uint8)
    assert torch.isfinite(segmentation_loss(torch.zeros(1, 1, 8, 8), label))


def test_an_empty_picture_left_empty_costs_nothing() -> None:
    label = torch.zeros(1, 8, 8, dtype=torch.uint8)
    assert segmentation_loss(torch.full((1, 1, 8, 8), -30.0), label) < 1e-3


def test_small_subjects_count_as_much_as_large_ones() -> None:
    label = torch.zeros(2, 16, 16, dtype=torch.uint8)
    label[0, :12] = 255
    label[1, :2, :2] = 255
    found = torch.where(label == 255, 20.0, -20.0)[:, None]
    for index in (0, 1):
        missed = found.clone()
        missed[index] = -20
        assert torch.isclose(
            segmentation_losses(missed, label)["dice"], torch.tensor(0.5), atol=1e-3
        )


def test_the_boundary_can_count_more() -> None:
    label = torch.zeros(1, 16, 16, dtype=torch.uint8)
    label[:, :8] = 255
    right = torch.where(label == 255, 4.0, -4.0)[:, None]
    near, far = right.clone(), right.clone()
    near[:, :, 8:10] *= -1
    far[:, :, 14:16] *= -1
    plain = [segmentation_losses(x, label)["cross-entropy"] for x in (near, far)]
    weighted = [segmentation_losses(x, label, 3.0)["cross-entropy"] for x in (near, far)]
    assert plain[0] == plain[1]
    assert weighted[0] > 2 * weighted[1]


def test_mattes_are_compared_in_the_region_only() -> None:
    truth = torch.rand(2, 1, 32, 32)
    region = torch.zeros(2, 1, 32, 32)
    region[:, :, 8:16] = 1
    outside = truth.clone()
    outside[:, :, :8] += 1
    for loss in (absolute_loss, laplacian_loss, gradient_loss):
        assert loss(truth, truth, region) == 0
        assert loss(outside, truth, region) == 0
        assert loss(truth + 0.1 * region, truth, region) > 0
    torch.testing.assert_close(absolute_loss(truth - 0.25, truth, region), torch.tensor(0.25))


def test_scales_and_slopes_tell_errors_apart() -> None:
    truth, region = torch.zeros(1, 1, 64, 64), torch.ones(1, 1, 64, 64)
    checks = torch.zeros(64, 64)
    checks[::2, ::2] = checks[1::2, 1::2] = 0.2
    halves = torch.zeros(64, 64)
    halves[:32] = 0.2
    fine, coarse = checks[None, None], halves[None, None]
    assert absolute_loss(fine, truth, region) == absolute_loss(coarse, truth, region)
    assert gradient_loss(fine, truth, region) > 10 * gradient_loss(coarse, truth, region)
    assert laplacian_loss(fine, truth, region) != laplacian_loss(coarse, truth, region)


def test_every_map_of_a_network_is_learnt() -> None:
    label = labels()
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 8, 8)
    each = [summed_cross_entropy(maps[:, n : n + 1], label) for n in range(3)]
    torch.testing.assert_close(summed_cross_entropy(maps, label), sum(each))
    plain = segmentation_losses(maps[:, :1], label)["cross-entropy"]
    torch.testing.assert_close(each[0], plain)


def test_a_soft_target_is_met_by_its_own_probability() -> None:
    target = torch.full((1, 4, 4), 64, dtype=torch.uint8)
    logit = torch.tensor(64 / 255).logit()
    at, beside = (
        summed_cross_entropy(torch.full((1, 1, 4, 4), float(logit) + shift), target)
        for shift in (0.0, 0.5)
    )
    assert at < beside
