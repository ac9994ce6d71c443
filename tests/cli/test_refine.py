"""`matte refine`, as it is typed."""

from pathlib import Path

import numpy as np
import pytest

from matte.media.pictures import read_alpha
from tests.commands import run
from tests.conftest import disc, save
from tests.tolerances import REFINED


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_refine_writes_alpha(files: tuple[Path, Path, Path], tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"alpha{suffix}"
    result = run("refine", files[0], files[2], "-o", target)
    assert result.exit_code == 0, result.output
    _, alpha = disc(96, 128)
    assert np.abs(read_alpha(target) - alpha).mean() < REFINED


def test_refine_tells_what_is_odd(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    blank = save(tmp_path / "blank.png", np.zeros((96, 128), np.uint8))
    result = run("refine", files[0], blank, "--refiner", "guided")
    assert result.exit_code == 0
    told = f"{blank}: the trimap has no sure subject: it is used as it is"
    assert result.stderr == f"Warning: {told}\n"
    refused = run("refine", files[0], files[2], "--max-pixels", "100", "--overwrite")
    assert refused.exit_code == 1
    assert "is 128×96, 0 megapixels: raise --max-pixels" in refused.stderr


@pytest.mark.parametrize("name", ["photo.png", "trimap.png"])
def test_inputs_are_never_overwritten(
    files: tuple[Path, Path, Path], tmp_path: Path, name: str
) -> None:
    before = (tmp_path / name).read_bytes()
    result = run("refine", files[0], files[2], "-o", tmp_path / name, "--overwrite")
    assert result.exit_code == 1
    assert "is named twice" in result.stderr
    assert (tmp_path / name).read_bytes() == before
