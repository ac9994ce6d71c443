import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.errors import PictureError, SettingError
from matte.media.encoding import encode, encode_alpha
from matte.media.pictures import read_alpha, read_image, read_mask, read_trimap
from matte.media.sources import Source, as_path, is_source, read_source, source_name
from tests.media.files import noise

RGB = noise(30, 40, 3)


def sources(path: Path) -> list[Callable[[], Source]]:
    """Every way to name a file's bytes."""
    return [
        lambda: path,
        lambda: str(path),
        path.read_bytes,
        lambda: io.BytesIO(path.read_bytes()),
        lambda: path.open("rb"),
    ]


@pytest.mark.parametrize("way", range(5))
def test_paths_bytes_and_open_files_are_one(way: int, tmp_path: Path) -> None:
    grey = noise(30, 40)
    colours, levels, floats = tmp_path / "p.png", tmp_path / "g.png", tmp_path / "a.npy"
    colours.write_bytes(encode(RGB, ".png"))
    levels.write_bytes(encode(grey, ".png"))
    floats.write_bytes(encode_alpha(read_alpha(levels), ".npy"))
    for path, read in (
        (colours, read_image),
        (levels, read_mask),
        (levels, read_trimap),
        (levels, read_alpha),
        (floats, read_alpha),
    ):
        source = sources(path)[way]()
        assert is_source(source)
        assert np.array_equal(read(source), read(path))
        if not isinstance(source, str | bytes | Path):
            assert not source.closed, "whoever opened it closes it"
            source.close()


def test_an_open_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"before" + encode(RGB, ".png"))
    file.seek(6)
    assert np.array_equal(read_image(file), RGB)


def test_errors_name_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(PictureError, match="the picture is not a readable picture"):
        read_image(b"no picture")
    with pytest.raises(PictureError, match="the trimap is empty"):
        read_trimap(io.BytesIO())
    with path.open("rb") as file, pytest.raises(PictureError, match=r"p\.jpg is not a readable"):
        read_mask(file)
    assert source_name(io.BytesIO(), "mask") == "the mask"
    assert source_name("a.png") == "a.png"


def test_text_files_and_closed_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(b"GIF89a and more than that")
    with (
        path.open() as file,
        pytest.raises(PictureError, match=r"p\.png is open as text: open it with 'rb'"),
    ):
        read_image(file)  # type: ignore[arg-type]  # what is tested
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(PictureError, match=r"can't read the picture \(I/O operation on closed"):
        read_image(closed)


def test_arrays_are_no_sources() -> None:
    assert not is_source(RGB)
    assert not is_source(None)


def test_the_head_is_checked_before_the_rest_is_read() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert size >= 0, "all of it was asked for"
            return bytes(size)

    with pytest.raises(PictureError, match="not a readable picture"):
        read_image(Endless())  # type: ignore[arg-type]  # of BinaryIO only what is needed
    assert read_source(b"anything", lambda head, name: None) == b"anything"


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_devices_are_not_read(device: str) -> None:
    with pytest.raises(PictureError, match=f"{device} is a device: name a picture"):
        read_image(Path(device))


def test_folders_and_impossible_names_are_answered(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.png", Path("a\0b"), tmp_path / ("x" * 300)):
        with pytest.raises(PictureError, match=r"can't read .*: name a picture"):
            read_image(path)
        with pytest.raises(PictureError, match=r"can't read .*: name a picture"):
            read_alpha(path.with_suffix(".npy"))


def test_pipes_are_read_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = encode(noise(300, 400, 3), ".png")  # more than a pipe holds
    writer = threading.Timer(0.2, lambda: pipe.write_bytes(data))
    writer.start()
    assert read_image(pipe).shape == (300, 400, 3)
    writer.join()
    monkeypatch.setattr("matte.media.sources.MAX_PIPE_WAIT_SECONDS", 0.05)
    with pytest.raises(PictureError, match="pipe is empty"):
        read_image(pipe)


def test_addresses_are_no_paths_unless_a_file_has_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    address = "https://host/a.png?key=1234"
    for call in (lambda: read_image(address), lambda: as_path(address)):
        with pytest.raises(SettingError, match=r"^https:// is on the web: .* give the picture$"):
            call()
    with pytest.raises(SettingError, match=r"^s3:// is on the web: .* give the video$"):
        as_path("s3://bucket/talk.mp4", "video")
    Path("https:/host").mkdir(parents=True)
    Path(address).write_bytes(encode(RGB, ".png"))
    assert read_image(address).shape == RGB.shape


def test_what_is_no_path_is_said() -> None:
    several: Any = ["talk.mp4"]
    with pytest.raises(PictureError, match=r"^a value of type list is no video: give a path$"):
        as_path(several, "video")
