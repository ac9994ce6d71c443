from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.errors import OutputError, SettingError
from matte.stages import Matte
from matte.training.distil import distil
from matte.training.settings import DataSet
from tests.training.modnet_discs import disc

PAIRS = DataSet("people", "pairs")


class Brightness:
    """Takes what is bright for the subject, and counts the pictures."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, image: NDArray[Any]) -> Matte:
        self.seen += 1
        blurred = cv2.GaussianBlur(image, (0, 0), 2).mean(axis=2)
        alpha = np.clip((blurred - 60) / 70, 0, 1).astype(np.float32)
        return Matte(Alpha(alpha), Image(image), None, None, {})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three discs with masks; that of the second is elsewhere. And one that can't be read."""
    for folder in ("images", "masks"):
        (tmp_path / "people" / folder).mkdir(parents=True)
    for seed in range(3):
        made = disc(seed)
        mask = np.where(made.truth > 127, 255, 0).astype(np.uint8)
        mask = np.roll(mask, 16, axis=1) if seed == 1 else mask
        cv2.imwrite(str(tmp_path / f"people/images/{seed}.png"), made.picture)
        cv2.imwrite(str(tmp_path / f"people/masks/{seed}.png"), mask)
    (tmp_path / "people/images/3.png").write_bytes(b"x")
    (tmp_path / "people/masks/3.png").write_bytes(b"x")
    return tmp_path


def test_only_where_teacher_and_mask_agree(root: Path, tmp_path: Path) -> None:
    said: list[str] = []
    found = distil(
        Brightness(), PAIRS, root, tmp_path / "out", agreement=0.75, progress=said.append
    )
    assert found.written == ("0", "2")
    assert found.dropped == ("1",)
    assert len(found.skipped) == 1
    assert said[-1].startswith("2 written, 0 there before, 1 dropped")
    assert any("1, IoU 0." in line and line.endswith("dropped") for line in said)
    entries = list_set(tmp_path / "out", "alphas").entries
    assert [entry.name for entry in entries] == ["0", "2"]
    sample = read_sample(entries[0])
    expected = Brightness()(disc(0).picture).alpha
    assert np.abs(sample.truth / 255 - expected).max() < 0.003
    # JPEG spares no coloured noise.
    given, kept = (cv2.blur(p, (9, 9)).astype(int) for p in (disc(0).picture, sample.picture))
    assert np.abs(given - kept).max() < 16


def test_a_data_set_is_not_written_into_itself(root: Path) -> None:
    with pytest.raises(OutputError, match="the data set itself"):
        distil(Brightness(), PAIRS, root, root / "people" / ".." / "people")


def test_a_second_run_only_does_what_is_missing(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    distil(Brightness(), PAIRS, root, out, agreement=0.75)
    (out / "images/2.jpg").unlink()
    before = (out / "images/0.jpg").stat().st_mtime_ns
    teacher = Brightness()
    found = distil(teacher, PAIRS, root, out, agreement=0.75)
    assert found.present == ("0",)
    assert found.written == ("2",)
    assert teacher.seen == 2  # and the one that is dropped again
    assert (out / "images/0.jpg").stat().st_mtime_ns == before


def test_another_sets_pictures_stay(root: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "out/images/0.jpg"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    with pytest.raises(OutputError, match=r"0\.jpg exists without a matte"):
        distil(Brightness(), PAIRS, root, tmp_path / "out", agreement=0.75)
    assert theirs.read_bytes() == b"theirs"


def test_an_empty_picture_is_no_lesson(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / "people" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / f"people/{folder}/a.png"), np.zeros((40, 40), np.uint8))
    assert distil(Brightness(), PAIRS, tmp_path, tmp_path / "out").dropped == ("a",)


def test_what_can_not_be_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"agreement = 2"):
        distil(Brightness(), PAIRS, root, tmp_path / "out", agreement=2)
    with pytest.raises(SettingError, match="no folder"):
        distil(Brightness(), DataSet("nobody"), root, tmp_path / "out")
    for folder in ("images", "alphas"):
        (tmp_path / "mattes" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / f"mattes/{folder}/a.png"), np.zeros((40, 40), np.uint8))
    with pytest.raises(SettingError, match="holds no masks"):
        distil(Brightness(), DataSet("mattes", "alphas"), tmp_path, tmp_path / "out")
