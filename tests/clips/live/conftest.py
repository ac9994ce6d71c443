from pathlib import Path

import pytest

from matte.media.video.clip import open_clip
from matte.media.video.facts import ClipFacts
from tests.clips.live.cameras import NumberedLine
from tests.media.clips import clip


@pytest.fixture
def line() -> NumberedLine:
    """The line of every preset."""
    return NumberedLine()


@pytest.fixture
def facts(tmp_path: Path) -> ClipFacts:
    return open_clip(clip(tmp_path / "facts.mp4", (0,), size=(16, 12))).facts
