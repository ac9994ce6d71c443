import torch

from matte.gpu.alpha_reuse import Comparison, enlarge_cells, renew, warp_and_compare
from matte.gpu.pictures import DeviceTrimap


def test_changed_pixels_are_counted_in_their_cells() -> None:
    levels = torch.full((1, 1, 20, 12), 128, dtype=torch.uint8)
    levels[..., :4] = 255
    flow = torch.zeros(1, 4, 5, 3)
    flow[:, 2:] = 0.5
    before = torch.full((1, 3, 20, 12), 80.0)
    now = before.clone()
    now[..., 8:12, 4:] = 200  # other colours there
    alpha, changes = warp_and_compare(
        torch.full((1, 1, 20, 12), 0.7),
        (now, before),
        flow,
        DeviceTrimap(levels),
        Comparison(2, 8, 0.75),
    )
    assert torch.allclose(alpha[..., 4:], torch.tensor(0.7))
    assert (alpha[..., :4] == 1).all()
    assert changes.tolist() == [[0, 0], [4, 4], [0, 0]]


def test_renewed_alpha_counts_a_little() -> None:
    alpha, past = torch.ones(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)
    found = renew(alpha, past, torch.tensor([[[[True, False]]]]), 0.1)
    assert torch.allclose(found, torch.tensor([0.1, 1.0]))


def test_cells_are_enlarged_to_their_pixels() -> None:
    cells = torch.tensor([[[[True, False]]]])
    assert enlarge_cells(cells, 4, 3, 6).tolist() == [[[[True] * 4 + [False] * 2] * 3]]
