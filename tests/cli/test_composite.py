"""`matte composite`, as it is typed."""

from pathlib import Path

import numpy as np
import pytest

from matte.media.pictures import read_alpha, read_image, read_photo
from tests.commands import run
from tests.conftest import disc, save


def test_composite_takes_the_old_background_out(
    files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    _, alpha = disc(96, 128)
    np.save(tmp_path / "alpha.npy", alpha)
    result = run("composite", files[0], tmp_path / "alpha.npy", "--bg", "white")
    assert result.exit_code == 0, result.output
    kept = tmp_path / "kept.png"
    arguments = (files[0], tmp_path / "alpha.npy", "--bg", "white", "--keep-colours", "-o", kept)
    assert run("composite", *arguments).exit_code == 0
    exact = alpha[:, :, None] * [230, 180, 60] + (1 - alpha[:, :, None]) * 255
    cleaned = np.abs(read_image(tmp_path / "photo-composite.png") - exact).max()
    assert cleaned < 12
    assert np.abs(read_image(kept) - exact).max() > 3 * cleaned


def test_composites_as_image_makes_them(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    image, alpha = disc(96, 128)
    np.save(tmp_path / "alpha.npy", alpha)
    words = ("composite", files[0], tmp_path / "alpha.npy", "--bg", "transparent")
    result = run(*words, "--crop", "0", "-o", tmp_path / "cut.png")
    assert result.exit_code == 0, result.output
    cut = read_photo(tmp_path / "cut.png")
    assert cut.pixels.shape[0] < 70
    assert cut.transparency is not None
    piped = run(*words, "-o", "-")
    assert piped.exit_code == 0
    assert piped.stdout_bytes.startswith(b"\x89PNG")
    # What was transparent in the picture stays so.
    rgba = np.dstack([image, np.full(alpha.shape, 51, np.uint8)])
    glass = save(tmp_path / "glass.png", rgba)
    out = tmp_path / "out.png"
    assert run("composite", glass, *words[2:], "-o", out, "--keep-colours").exit_code == 0
    assert read_photo(out).transparency is not None
    assert read_alpha(out).max() == pytest.approx(0.2)
