from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Confidence, Trimap
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.errors import OutputError, SettingError
from matte.training.merging import merge_labels, merge_masks
from tests.datasets.sets import put


def confidence(*subject: slice, sure: float = 1.0) -> Confidence:
    """Returns a confidence of a row of 20 pixels: sure of these parts, and of nothing else."""
    found = np.zeros((4, 20), np.float32)
    for part in subject:
        found[:, part] = sure
    return Confidence(found)


def row(mask: Trimap) -> str:
    """Returns a mask's first row, a letter for each pixel: subject, background, unknown."""
    return "".join({255: "s", 0: "b", 128: "u"}[int(level)] for level in mask[0])


def test_teachers_decide_where_they_agree() -> None:
    merged = merge_masks([confidence(slice(2, 10)), confidence(slice(4, 12))])
    assert row(merged) == "bbuussssssuubbbbbbbb"


def test_one_teacher_decides_where_it_is_sure() -> None:
    seen = confidence(slice(0, 5))
    seen[:, 5:8] = 0.6
    assert row(merge_masks([seen])) == "sssssuuubbbbbbbbbbbb"


def test_what_touches_the_true_subject_joins_it() -> None:
    truth = np.zeros((4, 20), np.uint8)
    truth[:, 2:6] = 255
    truth[:, 18:] = 128
    held, elsewhere = slice(4, 9), slice(12, 14)
    merged = merge_masks([confidence(held, elsewhere)], Trimap(truth))
    assert row(merged) == "bbsssssssbbbuubbbbuu"


def test_a_truth_that_teachers_miss_stays() -> None:
    truth = np.zeros((4, 20), np.uint8)
    truth[:, 2:6] = 255
    merged = merge_masks([confidence(), confidence(slice(10, 12))], Trimap(truth))
    assert row(merged) == "bbssssbbbbuubbbbbbbb"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    put(tmp_path / "in", "a.jpg", "b.jpg", "c.jpg", array=np.zeros((4, 20, 3), np.uint8))
    return tmp_path / "in"


def write_labels(folder: Path, **seen: Confidence) -> Path:
    """Writes confidences by the pictures' names."""
    for name, one in seen.items():
        put(folder, f"{name}.png", array=np.rint(255 * one).astype(np.uint8))
    return folder


def test_a_data_set_is_written_and_doubtful_pictures_are_dropped(
    pictures: Path, tmp_path: Path
) -> None:
    large, small = confidence(slice(0, 10)), confidence(slice(0, 4))
    one = write_labels(tmp_path / "one", a=large, b=large, c=large)
    two = write_labels(tmp_path / "two", a=large, b=small)
    found = merge_labels(pictures, [one, two], tmp_path / "out")
    assert found.written == ("a",)
    assert "b: the teachers disagree (IoU 0.40)" in found.dropped
    assert any(line.startswith("c: no label") for line in found.dropped)
    (entry,) = list_set(tmp_path / "out", "pairs").entries
    assert row(Trimap(read_sample(entry).truth)) == "s" * 10 + "b" * 10
    assert [sample.name for sample in found.shown] == ["a"]


def test_one_unsure_teacher_and_tiny_things_are_dropped(pictures: Path, tmp_path: Path) -> None:
    labels = write_labels(
        tmp_path / "one",
        a=confidence(slice(0, 10), sure=0.6),
        b=confidence(),
        c=confidence(slice(0, 10)),
    )
    found = merge_labels(pictures, [labels], tmp_path / "out")
    assert found.written == ("c",)
    assert [line.partition(": ")[2] for line in found.dropped] == [
        "the teacher is unsure",
        "the main thing is tiny, or there is none",
    ]


def test_true_masks_of_some_pictures_are_enough(pictures: Path, tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "one", **dict.fromkeys("abc", confidence(slice(0, 10))))
    masks = write_labels(tmp_path / "masks", a=confidence(slice(8, 12)))
    merge_labels(pictures, [labels], tmp_path / "out", masks=masks)
    rows = {
        entry.name: row(Trimap(read_sample(entry).truth))
        for entry in list_set(tmp_path / "out", "pairs").entries
    }
    assert rows["a"] == "s" * 12 + "b" * 8
    assert rows["b"] == "s" * 10 + "b" * 10


def test_without_labels_there_is_nothing_to_merge(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no labels"):
        merge_labels(pictures, [], tmp_path / "out")


def test_files_that_exist_stay_unless_they_may_be_replaced(pictures: Path, tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "one", **dict.fromkeys("abc", confidence(slice(0, 10))))
    put(tmp_path / "out", "masks/b.png", array=np.zeros((4, 20), np.uint8))
    before = (tmp_path / "out/masks/b.png").read_bytes()
    with pytest.raises(OutputError, match=r"b\.png exists: .* --overwrite"):
        merge_labels(pictures, [labels], tmp_path / "out")
    assert [path.read_bytes() for path in tmp_path.glob("out/*/*")] == [before]
    merge_labels(pictures, [labels], tmp_path / "out", overwrite=True)
    assert (tmp_path / "out/masks/b.png").read_bytes() != before


def test_inputs_are_never_replaced(pictures: Path, tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "one", **dict.fromkeys("abc", confidence(slice(0, 10))))
    masks = write_labels(tmp_path / "set/masks", a=confidence(slice(8, 12)))
    sheets = (pictures / "a.jpg", labels / "b.png", masks / "a.png")
    for out, sheet in ((tmp_path / "set", None), *((tmp_path / "out", each) for each in sheets)):
        before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
        with pytest.raises(OutputError, match="is named twice"):
            merge_labels(pictures, [labels], out, masks=masks, sheet=sheet, overwrite=True)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before
