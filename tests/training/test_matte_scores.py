from dataclasses import replace

import numpy as np
import pytest
import torch

from matte.modnet.network import Branches
from matte.training.matte_scores import matte_metrics, matte_sheet, to_modnet_input
from matte.training.modnet_losses import BranchedModnet
from matte.training.sheets import GAP_PIXELS, ROW_HEIGHT_PIXELS
from tests.training.modnet_discs import disc, network


def test_masks_and_empty_pictures_are_scored_too() -> None:
    class Bright(BranchedModnet):
        def forward(self, image: torch.Tensor) -> Branches:
            bright = (image.mean(1, keepdim=True) > 0).float()
            return Branches(bright, bright, bright)

    label = np.zeros((40, 60), np.uint8)
    label[10:30, 10:30] = 255
    picture = np.repeat(label[:, :, None], 3, axis=2)
    mask = replace(disc(0), kind="mask", picture=picture, truth=label)
    empty = replace(mask, kind="background", truth=np.zeros_like(label))
    metrics = matte_metrics(Bright(network()), [("a", mask), ("b", empty)], 64)
    assert metrics["iou a"] > 0.9
    assert metrics["score"] == metrics["iou a"] - 1
    assert metrics["false b"] == pytest.approx(400 / 2400, abs=0.02)
    assert set(metrics) == {"score", "iou a", "false b"}
    exact = matte_metrics(Bright(network()), [("c", replace(mask, kind="alpha"))], 64)
    assert exact["mad"] < 0.03
    assert exact["score"] == -exact["mad"]
    assert matte_metrics(Bright(network()), [], 64) == {"score": 0}
    ignored = replace(mask, truth=np.full_like(label, 128))
    assert matte_metrics(Bright(network()), [("d", ignored)], 64) == {"score": 0, "false d": 0}


def test_pictures_go_in_from_minus_one_to_one() -> None:
    values = to_modnet_input(torch.tensor([0, 255], dtype=torch.uint8).expand(1, 32, 3, 2).mT)
    assert values.shape == (1, 3, 32, 2)
    assert sorted(set(values.flatten().tolist())) == [-1, 1]


def test_the_sheet_has_a_row_for_each_picture() -> None:
    pictures = [("discs", disc(seed)) for seed in range(2)]
    branched = BranchedModnet(network()).eval()
    assert matte_sheet(branched, pictures, 64).shape == (
        2 * (ROW_HEIGHT_PIXELS + GAP_PIXELS),
        5 * (ROW_HEIGHT_PIXELS + GAP_PIXELS),  # the picture, its truth and three maps
        3,
    )
