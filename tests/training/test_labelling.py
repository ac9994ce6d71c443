from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Confidence, Image
from matte.errors import OutputError, PictureError
from matte.media.pictures import read_alpha
from matte.stages import NetworkFacts, Segmentation
from matte.training.labelling import label_pictures, pictures_to_label
from tests.datasets.sets import put


class BrightTeacher:
    """Sees the subject where a picture is bright."""

    network: NetworkFacts | None = None

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        return Segmentation(Confidence(image.mean(axis=2, dtype=np.float32) / 255))


def ignore(line: str) -> None:
    """Is told what nobody reads."""


def test_labels_are_confidences_of_the_pictures_below(tmp_path: Path) -> None:
    put(tmp_path, "images/a.png", "images/sub/b.png", array=np.full((6, 8, 3), 51, np.uint8))
    put(tmp_path, "masks/a.png", array=np.zeros((6, 8), np.uint8))
    found = label_pictures(BrightTeacher(), tmp_path, tmp_path / "out", ignore)
    assert found.written == ("a", "sub/b")
    assert read_alpha(tmp_path / "out" / "sub" / "b.png") == pytest.approx(0.2, abs=1e-3)


def test_what_is_labelled_stays_and_the_broken_are_named(tmp_path: Path) -> None:
    put(tmp_path / "in", "a.png", "b.png", array=np.zeros((6, 8, 3), np.uint8))
    (tmp_path / "in" / "broken.jpg").write_bytes(b"no picture")
    put(tmp_path / "out", "a.png", array=np.full((6, 8), 77, np.uint8))
    told: list[str] = []
    found = label_pictures(BrightTeacher(), tmp_path / "in", tmp_path / "out", told.append)
    assert (found.written, found.present) == (("b",), ("a",))
    assert "broken.jpg" in found.skipped[0]
    assert read_alpha(tmp_path / "out" / "a.png")[0, 0] == pytest.approx(77 / 255)
    assert told[-1] == "1 labelled, 1 there before, 1 unusable"


def test_pictures_are_not_overwritten_by_their_labels(tmp_path: Path) -> None:
    put(tmp_path, "a.png", array=np.zeros((6, 8, 3), np.uint8))
    with pytest.raises(OutputError, match="the pictures themselves"):
        label_pictures(BrightTeacher(), tmp_path, tmp_path, ignore)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no pictures"):
        pictures_to_label(tmp_path)
