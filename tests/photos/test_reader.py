"""The reader of photos, which begins with the first at once."""

from pathlib import Path

import numpy as np
import pytest

from matte.errors import PictureError
from matte.files import STREAM
from matte.photos.jobs import PhotoJob
from matte.photos.reader import PhotoReader
from tests.conftest import disc, save


def test_photos_are_the_files(tmp_path: Path) -> None:
    image = disc(20, 30)[0]
    jobs = [PhotoJob(save(tmp_path / f"{n}.png", image), tmp_path / "o.png") for n in range(2)]
    reader = PhotoReader(jobs, 10**6)
    (tmp_path / "0.png").unlink()  # it was opened before, or is missed below
    for job in jobs[1:]:
        assert np.array_equal(reader.read(job).pixels, image)


def test_the_first_photos_error_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    job = PhotoJob(save(tmp_path / "a.png", disc(20, 30)[0]), tmp_path / "o.png")
    reader = PhotoReader([job], max_pixels=100)
    with pytest.raises(PictureError, match="pixels"):
        reader.read(job)


def test_standard_input_is_not_read_ahead() -> None:
    PhotoReader([PhotoJob(STREAM, STREAM)], 10**6)
