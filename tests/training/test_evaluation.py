from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from matte.errors import PictureError, WeightsError
from matte.training.evaluation import confusion, evaluate_folder, iou, validate
from matte.training.pictures import Labelled


class Bright(nn.Module):
    """Takes what is brighter than the padding for the subject."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(50.0))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return (image.mean(1, keepdim=True) - 0.6) * self.scale


def labelled(name: str, subject: bool = True) -> Labelled:
    label = np.zeros((40, 60), np.uint8)
    label[10:30, 10:30] = 255 if subject else 0
    return Labelled(name, np.repeat(label[:, :, None], 3, axis=2), label)


def test_iou_by_hand() -> None:
    label = np.array([[255, 255, 0, 0, 128, 128]], np.uint8)
    found = np.array([[True, False, True, False, True, False]])
    counts = confusion(found, label)
    assert counts.tolist() == [1, 1, 1, 1]
    assert iou(counts) == pytest.approx(1 / 3)
    assert iou(np.array([0, 0, 0, 6])) == 1


def test_validation_tells_sets_apart() -> None:
    metrics = validate(
        Bright(), [("a", labelled("1")), ("a", labelled("2")), ("b", labelled("3", False))], 64
    )
    assert metrics["iou a"] > 0.9
    assert metrics["false b"] == 0
    assert metrics["iou"] == pytest.approx(metrics["iou a"])
    assert set(metrics) == {"iou", "loss", "iou a", "false b"}


def test_padding_does_not_count() -> None:
    wrong_in_padding = Bright()
    with torch.no_grad():
        wrong_in_padding.scale.fill_(0.0)
    # Logits of 0 find nothing anywhere; the loss is ln 2 over the 40 × 60 pixels alone.
    metrics = validate(wrong_in_padding, [("a", labelled("1"))], 64)
    assert metrics["loss"] == pytest.approx(np.log(2))
    assert metrics["iou"] == 0


def test_no_pictures_give_no_nan() -> None:
    assert validate(Bright(), [], 64) == {"iou": 1.0, "loss": 0.0}


@pytest.fixture
def bright_onnx(tmp_path: Path) -> Path:
    """`Bright` as a file that says it is a segmenter."""
    half, scale = (
        numpy_helper.from_array(np.array(v, np.float32), n) for v, n in ((0.6, "half"), (50, "s"))
    )
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["mean", "half"], ["above"]),
        helper.make_node("Mul", ["above", "s"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["mask"]),
    ]
    image, mask = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", channels, "h", "w"])
        for name, channels in (("image", 3), ("mask", 1))
    )
    model = helper.make_model(
        helper.make_graph(nodes, "bright", [image], [mask], [half, scale]),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    helper.set_model_props(model, {"matte.kind": "segmenter", "matte.size": "64"})
    onnx.save(model, tmp_path / "bright.onnx")
    return tmp_path / "bright.onnx"


def test_pairs_are_scored(bright_onnx: Path, tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
    item = labelled("x")
    wrong = np.roll(item.label, 20, axis=1)
    for name, label in (("right", item.label), ("wrong", wrong)):
        cv2.imwrite(str(tmp_path / f"pairs/images/{name}.png"), item.picture)
        cv2.imwrite(str(tmp_path / f"pairs/masks/{name}.png"), label)
    scores = evaluate_folder(bright_onnx, tmp_path / "pairs")
    assert scores.pictures == 2
    assert scores.per_picture["right"] > 0.9
    assert scores.per_picture["wrong"] < 0.1
    assert scores.iou == pytest.approx(np.mean(list(scores.per_picture.values())))
    assert scores.iou < scores.miou < 1


def test_alpha_mattes_are_cut_at_a_half(bright_onnx: Path, tmp_path: Path) -> None:
    for folder in ("input", "gt"):
        (tmp_path / "mattes" / folder).mkdir(parents=True)
    item = labelled("x")
    cv2.imwrite(str(tmp_path / "mattes/input/one.png"), item.picture)
    cv2.imwrite(str(tmp_path / "mattes/gt/one.png"), np.where(item.label == 255, 130, 120))
    assert evaluate_folder(bright_onnx, tmp_path / "mattes").iou > 0.9


def test_an_unusable_file_is_refused(bright_onnx: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="can't read"):
        evaluate_folder(tmp_path / "none.onnx", tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(PictureError, match="no pictures with truth"):
        evaluate_folder(bright_onnx, tmp_path)
