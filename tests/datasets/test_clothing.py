import importlib.util
from pathlib import Path

import numpy as np
import pytest

from matte.datasets import matlab
from matte.datasets.clothing import CCP_LABELS, class_labels, list_ccp
from matte.datasets.reading import read_sample
from matte.errors import BackendError, SettingError
from tests.datasets.sets import names, put

BUILT_IN = {name: label for label, name in enumerate(CCP_LABELS)}


def test_the_built_in_names_have_ccps_numbers() -> None:
    assert len(BUILT_IN) == 59
    assert (BUILT_IN["null"], BUILT_IN["jeans"], BUILT_IN["wedges"]) == (0, 25, 58)


def test_clothing_is_what_one_wears_but_no_accessories() -> None:
    labels = class_labels(["clothing"], BUILT_IN)
    assert {BUILT_IN[n] for n in ("jeans", "dress", "shoes", "hat", "scarf", "belt")} <= {*labels}
    others = ("null", "skin", "hair", "bag", "watch", "necklace", "sunglasses", "wallet")
    assert not {BUILT_IN[n] for n in others} & {*labels}


def test_classes_are_names_numbers_or_by_default_all() -> None:
    assert class_labels(["jeans", "3", "dress"], BUILT_IN) == (3, 14, 25)
    assert class_labels([], BUILT_IN) == tuple(range(1, 59))


def test_an_unknown_class_names_the_nearest() -> None:
    with pytest.raises(SettingError, match="no class 'jaens': did you mean 'jeans'"):
        class_labels(["jaens"], BUILT_IN)


def test_labels_become_the_mask_of_the_classes(tmp_path: Path) -> None:
    labels = np.zeros((12, 16), np.uint8)
    labels[0], labels[1], labels[2] = 25, 14, 255
    put(tmp_path, "photos/0001.jpg")
    put(tmp_path, "labels/0001.png", array=labels)
    truth = read_sample(list_ccp(tmp_path, ["jeans"]).entries[0]).truth
    assert truth[:4, 0].tolist() == [255, 0, 128, 0]


def test_labels_txt_renames_the_labels(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg", "labels/a.png")
    (tmp_path / "labels.txt").write_text("0 background\n7 rain coat\n\n9 kilt\n", "utf-8")
    assert list_ccp(tmp_path, ["rain coat"]).entries[0].classes == (7,)
    assert list_ccp(tmp_path, ["clothing"]).entries[0].classes == (7, 9)
    assert list_ccp(tmp_path).entries[0].classes == (7, 9)


def test_a_broken_labels_txt_names_the_line(tmp_path: Path) -> None:
    put(tmp_path, "images/a.jpg", "labels/a.png")
    (tmp_path / "labels.txt").write_text("0 null\ndress\n", "utf-8")
    with pytest.raises(SettingError, match=r"line 2: 'dress': write '14 dress'"):
        list_ccp(tmp_path)


def published(root: Path) -> None:
    """A set with one drawn photo and one that is only tagged, as CCP is published."""
    scipy_io = pytest.importorskip("scipy.io")
    put(root, "photos/0001.jpg", "photos/1005.jpg")
    for kind, number in (("pixel-level", "0001"), ("image-level", "1005")):
        (root / "annotations" / kind).mkdir(parents=True)
        labels = np.full((12, 16), 25, np.uint8)
        scipy_io.savemat(root / "annotations" / kind / f"{number}.mat", {"groundtruth": labels})


def test_matlab_annotations_are_read(tmp_path: Path) -> None:
    published(tmp_path)
    listing = list_ccp(tmp_path, ["jeans"])
    assert names(listing) == ["0001"]
    assert listing.broken == ()
    assert (read_sample(listing.entries[0]).truth == 255).all()


def test_without_scipy_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "photos/0001.jpg")
    monkeypatch.setattr(matlab, "find_spec", lambda name: importlib.util.find_spec(name + "_not"))
    with pytest.raises(BackendError, match="pip install scipy"):
        list_ccp(tmp_path)
