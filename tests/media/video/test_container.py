from pathlib import Path

import av
import pytest

from matte.errors import PictureError
from matte.media.video.clip import open_clip
from tests.media.clips import clip


def test_what_is_no_video_is_said_in_a_line(tmp_path: Path, sample: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "words.txt").write_text("[Event]\nfile 'x'\n" * 99)
    whole = clip(tmp_path / "in.mp4", sound="stereo")
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[:2000])
    with av.open(str(tmp_path / "heard.mp4"), "w") as output, av.open(str(whole)) as source:
        track = source.streams.audio[0]
        copy = output.add_stream_from_template(track)
        for packet in source.demux(track):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    with av.open(str(tmp_path / "none.mp4"), "w") as output:
        output.add_stream("libx264", rate=25)
        output.start_encoding()
    for name, said in {
        ".": "is a folder",
        "missing.mp4": "No such file",
        "empty.mp4": "is empty",
        "words.txt": "not a readable video",
        str(sample): "is a picture: name a video, or cut it out with matte image ",
        "cut.mp4": "not a readable video",
        "heard.mp4": "has no video stream, only audio",
        "none.mp4": "no",
        "/dev/null": "is no file but a device",
    }.items():
        with pytest.raises(PictureError, match=said) as raised:
            open_clip(tmp_path / name)
        assert "\n" not in str(raised.value)
        assert raised.value.remedy
    with pytest.raises(PictureError, match="megapixels"):
        open_clip(whole, max_pixels=100)


def test_names_that_look_like_addresses_are_files(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", (0,)).rename(tmp_path / "http:%d,a b.mp4")
    assert len(list(open_clip(path).frames())) == 1
