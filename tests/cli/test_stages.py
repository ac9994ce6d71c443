"""What the commands that run one stage have in common."""

from pathlib import Path

import numpy as np
import pytest

from tests.commands import run
from tests.conftest import save


def test_sizes_that_differ_are_said(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    small = save(tmp_path / "small.png", np.zeros((5, 6), np.uint8))
    for words in (("refine", files[0], small), ("composite", files[0], small, "--bg", "red")):
        result = run(*words)
        assert result.exit_code == 1
        assert "is 6×5, the picture 128×96: give both at one size" in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("trimap", "MASK"), ("refine", "PHOTO", "TRIMAP"), ("composite", "PHOTO", "MASK")]
)
def test_existing_files_are_kept(
    files: tuple[Path, Path, Path], tmp_path: Path, words: tuple[str, ...]
) -> None:
    named = {"PHOTO": files[0], "MASK": files[1], "TRIMAP": files[2]}
    precious = tmp_path / "precious.png"
    precious.write_text("precious")
    extra = ("--bg", "red") if words[0] == "composite" else ()
    arguments = [named.get(word, word) for word in words]
    result = run(*arguments, *extra, "-o", precious)
    assert result.exit_code == 1
    assert "exists: choose another name or add --overwrite" in result.stderr
    assert precious.read_text() == "precious"
    assert run(*arguments, *extra, "-o", precious, "--overwrite").exit_code == 0
    assert precious.read_bytes().startswith(b"\x89PNG")
