import torch

from matte.training.losses import segmentation_loss


def labels() -> torch.Tensor:
    label = torch.zeros(2, 8, 8, dtype=torch.uint8)
    label[:, :, :4] = 255
    label[:, 6:] = 128
    return label


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
