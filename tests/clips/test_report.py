import json

from matte.clips.report import video_report
from matte.compositing.backgrounds import parse_background


def test_a_report_holds_facts_command_machine_background_and_result() -> None:
    result = {"frames": 3, "ms": {"decode": 1.5}}
    written = video_report({"preset": "fast"}, parse_background("red"), result, ["video", "a.mp4"])
    found = json.loads(written)
    assert found["preset"] == "fast"
    assert found["command"] == ["video", "a.mp4"]
    assert found["frames"] == 3
    assert found["ms"] == {"decode": 1.5}
    assert found["machine"]
    assert found["background"]
