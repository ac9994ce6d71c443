"""The reader of photos, which begins with the first at once."""

from pathlib import Path
from threading import Event

import numpy as np
import pytest

import matte.photos.reader
from matte.errors import PictureError
from matte.files import STREAM
from matte.media.pictures import Photo
from matte.photos.jobs import PhotoJob
from matte.photos.reader import PhotoReader
from tests.conftest import disc, save


def test_photos_are_the_files(tmp_path: Path) -> None:
    image = disc(20, 30)[0]
    jobs = [PhotoJob(save(tmp_path / f"{n}.png", image), tmp_path / "o.png") for n in range(2)]
    reader = PhotoReader(jobs, 10**6)
    for job in jobs:
        assert np.array_equal(reader.read(job).pixels, image)


def test_the_first_photo_is_read_before_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, begun = Photo(disc(20, 30)[0]), Event()

    def read_photo(path: Path, max_pixels: int) -> Photo:
        begun.set()
        return photo

    monkeypatch.setattr(matte.photos.reader, "read_photo", read_photo)
    job = PhotoJob(save(tmp_path / "a.png", photo.pixels), tmp_path / "o.png")
    reader = PhotoReader([job], 10**6)
    assert begun.wait(10)
    assert reader.read(job) is photo


def test_the_first_photos_error_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    job = PhotoJob(save(tmp_path / "a.png", disc(20, 30)[0]), tmp_path / "o.png")
    reader = PhotoReader([job], max_pixels=100)
    with pytest.raises(PictureError, match="pixels"):
        reader.read(job)


def test_standard_input_is_not_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Photo(disc(20, 30)[0])
    reads: list[int] = []

    def read_stdin(max_pixels: int) -> Photo:
        reads.append(max_pixels)
        return photo

    monkeypatch.setattr(matte.photos.reader, "read_stdin", read_stdin)
    job = PhotoJob(STREAM, STREAM)
    reader = PhotoReader([job], 1000)
    assert reads == []
    assert reader.read(job) is photo
    assert reads == [1000]
