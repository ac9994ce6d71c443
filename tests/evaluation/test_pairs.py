import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import Alpha, Image, Trimap
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry, UnusableError
from matte.errors import PictureError
from matte.evaluation.pairs import (
    MaskCase,
    MatteCase,
    SkippedCase,
    find_pairs,
    mask_cases,
    matte_cases,
)
from tests.conftest import save


def test_masks_keep_what_is_not_counted(masks: Path) -> None:
    cases = [case for case in mask_cases(masks) if isinstance(case, MaskCase)]
    assert [case.name for case in cases] == ["a", "b", "c"]
    assert set(np.unique(cases[0].truth)) == {0, 255}
    assert set(np.unique(cases[1].truth)) == {0, 128, 255}


def test_alpha_becomes_a_mask_at_a_half(tmp_path: Path) -> None:
    for folder in ("input", "gt"):
        (tmp_path / folder).mkdir()
    save(tmp_path / "input/x.png", np.zeros((1, 4, 3), np.uint8))
    save(tmp_path / "gt/x.png", np.array([[0, 127, 128, 255]], np.uint8))
    (case,) = mask_cases(tmp_path)
    assert isinstance(case, MaskCase)
    assert case.truth.tolist() == [[0, 0, 255, 255]]


def test_broken_pairs_are_named(mattes: Path) -> None:
    (mattes / "input/a.png").write_bytes(b"no picture")
    (mattes / "gt/b.png").unlink()
    (mattes / "input/c.png").unlink()
    save(mattes / "input/d.png", np.zeros((5, 5, 3), np.uint8))
    save(mattes / "gt/d.png", np.zeros((5, 6), np.uint8))
    (mattes / "gt/.hidden.png").write_bytes(b"")
    (mattes / "input/notes.txt").write_text("")
    found = list(matte_cases(mattes))
    assert all(isinstance(case, SkippedCase) for case in found)
    reasons = [case.reason for case in found if isinstance(case, SkippedCase)]
    for reason, word in zip(
        reasons, ("not a readable", "no truth", "no picture", "truth is 6×5"), strict=True
    ):
        assert word in reason


def test_names_agree_across_systems_and_ambiguous_ones_are_named(mattes: Path) -> None:
    (mattes / "input/a.png").rename(mattes / "input" / unicodedata.normalize("NFD", "größe.png"))
    (mattes / "gt/a.png").rename(mattes / "gt" / unicodedata.normalize("NFC", "größe.PNG"))
    save(mattes / "input/b.jpg", np.zeros((60, 80, 3), np.uint8))
    found = {case.name: case for case in matte_cases(mattes)}
    assert isinstance(found[unicodedata.normalize("NFC", "größe")], MatteCase)
    twice = found["b"]
    assert isinstance(twice, SkippedCase)
    assert "b.jpg and b.png have the same name" in twice.reason


def put_mask(masks: Path, mask: NDArray[Any]) -> MaskCase | SkippedCase:
    """What is made of the first picture's mask."""
    (masks / "masks/a.png").unlink()
    save(masks / "masks/a.png", mask)
    return next(mask_cases(masks))


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_masks_of_class_numbers_are_refused(depth: type[Any], masks: Path) -> None:
    numbers = np.zeros((60, 80), depth)
    numbers[20:40, 20:60] = 15
    first = put_mask(masks, numbers)
    assert isinstance(first, SkippedCase)
    said = "has the values 15: a mask is of 0" if depth is np.uint8 else "is all but black"
    assert f"a.png {said}" in first.reason


def test_masks_mean_what_they_mean_in_training(masks: Path) -> None:
    """Edges that are smooth, 0 and 1, and greys that no mask has."""
    plain = np.zeros((60, 80), np.uint8)
    plain[20:40, 20:60] = 255
    edged = plain.copy()
    edged[19, 20:60], edged[40, 20:60] = 230, 40  # as_trimap would make these 255 and 0
    for mask in (plain, edged, plain // 255, plain - plain // 5):
        evaluated = put_mask(masks, mask)
        pair = Entry("a", "mask", masks / "images/a.png", masks / "masks/a.png")
        if isinstance(evaluated, SkippedCase):
            with pytest.raises(UnusableError) as caught:
                read_sample(pair)
            assert str(caught.value) == evaluated.reason
            assert "a.png has the values 204" in evaluated.reason
        else:
            assert (read_sample(pair).truth == evaluated.truth).all()
            assert (evaluated.truth[19:41, 20:60] != 0).any()


def test_the_region_is_what_is_unknown(mattes: Path) -> None:
    whole = next(matte_cases(mattes))
    assert isinstance(whole, MatteCase)
    assert whole.region.all()
    known = np.zeros((60, 80), np.uint8)
    known[:3] = 128

    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        return Trimap(known)

    case = next(matte_cases(mattes, draw))
    assert isinstance(case, MatteCase)
    assert case.region.sum() == 240


def test_a_trimap_that_knows_all_is_refused(mattes: Path) -> None:
    def draw(name: str, image: Image, truth: Alpha) -> Trimap:
        return Trimap(np.zeros(truth.shape, np.uint8))

    assert all(isinstance(case, SkippedCase) for case in matte_cases(mattes, draw))


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="name one that holds images/ and masks/ or input/"):
        find_pairs(tmp_path / "none", ("images", "masks"), ("input", "gt"))
    (tmp_path / "images").mkdir()
    with pytest.raises(PictureError, match="give it images/ and masks/"):
        find_pairs(tmp_path, ("images", "masks"))
