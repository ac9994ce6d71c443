from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame

from matte.media.video import hdr_metadata
from matte.media.video.clip import open_clip
from tests.media.video.hdr_clips import DISPLAY, grey_picture, hdr_clip


def test_what_a_clip_says_of_its_light_is_read(tmp_path: Path) -> None:
    pq = hdr_clip(tmp_path / "pq.mp4", "pq", [grey_picture(90)] * 3)
    assert open_clip(pq).facts.light_parameters == DISPLAY
    hlg = hdr_clip(tmp_path / "hlg.mp4", "hlg", [grey_picture(90)] * 3)
    assert open_clip(hlg).facts.light_parameters == ""
    with av.open(str(pq)) as container:
        assert hdr_metadata.light_parameters(next(container.decode(video=0))) == DISPLAY


@pytest.mark.parametrize("data", [None, b"", b"\0" * 8, b"\0" * 88])
def test_what_is_not_whole_is_left_out(data: bytes | None) -> None:
    assert hdr_metadata._display(data) == hdr_metadata._levels(data) == ""
    assert hdr_metadata.light_parameters(VideoFrame(16, 16, "yuv420p")) == ""
